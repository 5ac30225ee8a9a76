"""Which service holds what of a person: the five services' own declarations in one place."""

from collections.abc import Mapping, Sequence

from core.contracts.compliance.data_requests import Deed, KindResult, RequestKind
from core.contracts.platform import Service
from core.store.audit import subject as audit
from core.store.compliance import subject as compliance
from core.store.event import subject as event
from core.store.notification import subject as notification
from core.store.platform.subject import Holding
from core.store.task import subject as task

HOLDINGS: Mapping[Service, Sequence[Holding]] = {
    Service.AUDIT: audit.HOLDINGS,
    Service.NOTIFICATION: notification.HOLDINGS,
    Service.TASK: task.HOLDINGS,
    Service.COMPLIANCE: compliance.HOLDINGS,
    Service.EVENT: event.HOLDINGS,
}
WITHOUT: Mapping[str, str] = {
    **audit.WITHOUT,
    **notification.WITHOUT,
    **task.WITHOUT,
    **compliance.WITHOUT,
    **event.WITHOUT,
    "ops.intents": "ids only, gone within seconds: once Temporal has heard of the work",
    "ops.idempotency_keys": "sealed under the request that made them, unreadable without it, and gone after a day",
}
"""Tables that hold nothing of a person which could be handed out or erased, and why."""


def results(service: Service, kind: str, counts: Mapping[str, int]) -> list[KindResult]:
    """What became of each kind of rows that a service found."""
    erased = kind == RequestKind.ERASE
    return [
        KindResult(
            kind=holding.kind,
            deed=holding.deed if erased else Deed.EXPORTED,
            rows=counts[holding.kind],
            kept=holding.kept if erased else None,
        )
        for holding in HOLDINGS[service]
        if counts.get(holding.kind)
    ]
