"""The compliance service: checks, batches, policies, reports."""

from isa_user._async.compliance.batches import Batches
from isa_user._async.compliance.checks import Checks
from isa_user._async.compliance.policies import Policies
from isa_user._async.compliance.reports import Reports
from isa_user._async.compliance.rescores import Rescores


class ComplianceClient(Checks, Batches, Policies, Reports, Rescores):
    """Checks texts for personal data, toxicity, prompt injection, adult content and spam."""
