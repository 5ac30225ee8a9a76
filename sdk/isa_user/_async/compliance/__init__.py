"""The compliance service: checks, batches, policies, reviews, reports."""

from isa_user._async.compliance.batches import Batches
from isa_user._async.compliance.checks import Checks
from isa_user._async.compliance.data_requests import DataRequests
from isa_user._async.compliance.policies import Policies
from isa_user._async.compliance.reports import Reports
from isa_user._async.compliance.rescores import Rescores
from isa_user._async.compliance.reviews import Reviews


class ComplianceClient(Checks, Batches, Policies, Reports, Rescores, Reviews, DataRequests):
    """Checks texts for personal data, toxicity, prompt injection, adult content and spam."""
