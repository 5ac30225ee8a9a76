"""Deterministic orchestration. Payloads carry ids, counts and statuses; content stays in Postgres."""
