"""Compliance rules: what counts as a finding, what to do with overlaps, how results make a status and a risk."""

from core.domain.compliance.folding import Folded, fold
from core.domain.compliance.redaction import redact
from core.domain.compliance.spans import kinds, resolve_overlaps
from core.domain.compliance.verdict import overall_status, risk_level, unavailable

__all__ = ["Folded", "fold", "kinds", "overall_status", "redact", "resolve_overlaps", "risk_level", "unavailable"]
