"""The asynchronous clients; the source that `scripts/generate_sync.py` makes `isa_user._sync` from."""
