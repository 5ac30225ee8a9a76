"""What the compliance service answers, and what its calls take."""

from isa_user._models.compliance.batches import (
    BatchProgress,
    BatchState,
    BatchStatus,
    CheckBatch,
    CheckedItem,
    ContentItem,
)
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
from isa_user._models.compliance.policies import (
    AssignmentScope,
    ListEntry,
    NewRule,
    Policy,
    PolicyAction,
    PolicyAssignment,
    PolicyDraft,
    PolicyEntry,
    RedactionStyle,
    TypeRule,
)
from isa_user._models.compliance.reports import ComplianceReport, ComplianceReportType, ReportPeriod
from isa_user._models.compliance.rescores import ChangedCheck, Rescore, RescoreFigures, StatusMove, TypeFlips

__all__ = [
    "AssignmentScope",
    "BatchProgress",
    "BatchState",
    "BatchStatus",
    "ChangedCheck",
    "Check",
    "CheckBatch",
    "CheckStatus",
    "CheckType",
    "CheckedItem",
    "ComplianceReport",
    "ComplianceReportType",
    "ContentItem",
    "DetectorResult",
    "ListEntry",
    "NewRule",
    "Passage",
    "PiiEntity",
    "Policy",
    "PolicyAction",
    "PolicyAssignment",
    "PolicyDraft",
    "PolicyEntry",
    "RedactionStyle",
    "ReportPeriod",
    "Rescore",
    "RescoreFigures",
    "RiskLevel",
    "Span",
    "StatusMove",
    "TypeFlips",
    "TypeRule",
]
