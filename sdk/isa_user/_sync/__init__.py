"""The synchronous clients, generated from `isa_user._async`; only `_io.py` is written by hand."""
