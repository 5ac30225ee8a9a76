"""The workflows of the compliance service."""

from workflows.compliance.batches import ComplianceBatch
from workflows.compliance.reports import ComplianceReport, ComplianceScheduledReports

__all__ = ["ComplianceBatch", "ComplianceReport", "ComplianceScheduledReports"]
