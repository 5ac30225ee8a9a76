"""The front doors: HTTP in, a row written or read, a workflow started, nothing else."""
