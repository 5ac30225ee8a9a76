"""Queries of the audit service."""

from core.store.audit.events import append, append_entries

__all__ = ["append", "append_entries"]
