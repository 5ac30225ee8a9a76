"""Names and ids that Temporal sees."""

QUEUE = "audit"
REPORT_RUN = "audit.report"
REPORT_BUILD = "audit.report.build"
REPORT_FAIL = "audit.report.fail"
CHANNEL = "audit_events"


def report_run_id(report_id: str) -> str:
    """The id of the workflow that makes this report."""
    return f"{REPORT_RUN}:{report_id}"
