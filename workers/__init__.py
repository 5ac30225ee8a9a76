"""The composition root: the only place that builds real adapters and hands them to activities."""
