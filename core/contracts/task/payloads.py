"""Payloads of the built-in types. A bad one is refused when the task is created, not when it runs."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, HttpUrl, JsonValue, RootModel, StringConstraints

from core.contracts.audit import CreateReport
from core.contracts.compliance import BatchRequest, ReportRequest
from core.contracts.event.replay import ReplayRequest
from core.contracts.notification import Send
from core.contracts.platform import Answer, Contract


class BuiltIn(StrEnum):
    """Task types that our own workers serve."""

    HTTP_REQUEST = "http_request"
    NOTIFICATION_SEND = "notification.send"
    COMPLIANCE_BATCH_CHECK = "compliance.batch_check"
    EVENT_REPLAY = "event.replay"
    REPORT = "report"


class HttpMethod(StrEnum):
    """Methods an `http_request` task may use."""

    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


FRAMING = frozenset({"content-length", "transfer-encoding"})


def _not_framing(name: str) -> str:
    if name.lower() in FRAMING:
        raise ValueError("follows from the body: leave it out")
    return name


HeaderName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"), AfterValidator(_not_framing)
]
HeaderValue = Annotated[
    str, StringConstraints(max_length=4096, pattern=r"^([\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?)?$")
]


class HttpRequestPayload(Contract):
    """One HTTP request. A body that is not text is sent as JSON."""

    method: HttpMethod = HttpMethod.GET
    url: Annotated[HttpUrl, Field(description="http or https; private addresses are refused unless allowed")]
    headers: Annotated[dict[HeaderName, HeaderValue], Field(default_factory=dict, max_length=50)]
    body: JsonValue = None
    expected_status: Annotated[
        list[Annotated[int, Field(ge=100, le=599)]],
        Field(default_factory=list, max_length=50, description="answers that count as success; empty: any 2xx"),
    ]
    timeout_seconds: Annotated[float, Field(gt=0, le=300, description="for the whole call")] = 30


class HttpReply(Answer):
    """What the other side answered; the result of an `http_request`."""

    status: int
    headers: dict[str, str]
    body: Annotated[str, Field(description="the beginning of the body as text")]
    truncated: bool = False


class AuditReportPayload(CreateReport):
    """A compliance report of the audit service."""

    report: Literal["audit"]


class ComplianceReportPayload(ReportRequest):
    """A report of the compliance service."""

    report: Literal["compliance"]


class ReportPayload(RootModel[Annotated[AuditReportPayload | ComplianceReportPayload, Field(discriminator="report")]]):
    """Which service reports; the rest as that service's own front door takes it."""


BUILT_IN: dict[str, type[BaseModel]] = {
    BuiltIn.HTTP_REQUEST: HttpRequestPayload,
    BuiltIn.NOTIFICATION_SEND: Send,
    BuiltIn.COMPLIANCE_BATCH_CHECK: BatchRequest,
    BuiltIn.EVENT_REPLAY: ReplayRequest,
    BuiltIn.REPORT: ReportPayload,
}
