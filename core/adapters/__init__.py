"""One vendor per file, each behind a port of core.ports."""
