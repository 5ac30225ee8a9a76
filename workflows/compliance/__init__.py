"""The workflows of the compliance service."""

from workflows.compliance.batches import ComplianceBatch, ForgetUploadsRun
from workflows.compliance.data_requests import ComplianceDataRequest, ComplianceDataRequestsExpire
from workflows.compliance.reports import ComplianceReport, ComplianceScheduledReports
from workflows.compliance.rescores import ComplianceRescore
from workflows.compliance.reviews import ComplianceReview

__all__ = [
    "ComplianceBatch",
    "ComplianceDataRequest",
    "ComplianceDataRequestsExpire",
    "ComplianceReport",
    "ComplianceRescore",
    "ComplianceReview",
    "ComplianceScheduledReports",
    "ForgetUploadsRun",
]
