"""The rows, one schema per service. No methods."""
