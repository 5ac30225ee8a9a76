"""What the compliance service answers, and what its calls take."""

from isa_user._models.compliance.batches import BatchProgress, CheckBatch, CheckedItem, ContentItem
from isa_user._models.compliance.checks import (
    Check,
    CheckStatus,
    CheckType,
    DetectorResult,
    Passage,
    PiiEntity,
    RiskLevel,
    Span,
)
from isa_user._models.compliance.policies import Policy, TypeRule
from isa_user._models.compliance.reports import ComplianceReport, ComplianceReportType, ReportPeriod

__all__ = [
    "BatchProgress",
    "Check",
    "CheckBatch",
    "CheckStatus",
    "CheckType",
    "CheckedItem",
    "ComplianceReport",
    "ComplianceReportType",
    "ContentItem",
    "DetectorResult",
    "Passage",
    "PiiEntity",
    "Policy",
    "ReportPeriod",
    "RiskLevel",
    "Span",
    "TypeRule",
]
