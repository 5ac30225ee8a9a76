"""Inside TaskWorker: what a handler sees, and one execution from start to report."""
