"""Work that is still under way for a person whose data is to be erased: ended first, so that nothing writes it anew."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance import BatchStatus, batch_run_id
from core.contracts.compliance.data_requests import OPEN as OPEN_REQUESTS
from core.contracts.compliance.data_requests import RequestStatus, Verb
from core.contracts.notification import ChannelStatus, notification_send_id
from core.contracts.platform import Intent, IntentKind, Service
from core.contracts.task import OPEN as OPEN_TASKS
from core.contracts.task import task_run_id
from core.domain.compliance.data_requests import decided
from core.domain.notification import overall
from core.ids import new_id
from core.store import compliance, task
from core.store.compliance import data_requests
from core.store.notification import messages
from core.store.platform import add_intents
from core.store.platform.subject import Subject
from core.tables.compliance import BatchRow
from core.tables.notification import ChannelRow, NotificationRow
from core.tables.task import TaskRow

AT_ONCE = 100
WAITING = (ChannelStatus.PENDING, ChannelStatus.RETRYING)

Stop = Callable[[AsyncSession, Subject], Awaitable[int]]
"""End some of this person's open work in this transaction; how much there was. 0: none is left."""


async def stop_tasks(session: AsyncSession, subject: Subject) -> int:
    """Cancel tasks of theirs."""
    query = select(TaskRow).where(col(TaskRow.owner_id) == subject.user_id, col(TaskRow.status).in_(OPEN_TASKS))
    found = (await session.exec(query.order_by(col(TaskRow.task_id)).limit(AT_ONCE))).all()
    for row in found:
        await task.cancel(session, subject.tenant_id, task_id=row.task_id, execution_id=row.execution_id)
    await _cancel(session, subject, [task_run_id(row.task_id, row.executions) for row in found], Service.TASK)
    return len(found)


async def stop_notifications(session: AsyncSession, subject: Subject) -> int:
    """Cancel what is on its way to them. A try under way ends by itself, and finds nothing to go on with."""
    query = (
        select(NotificationRow.notification_id)
        .join(ChannelRow, col(ChannelRow.notification_id) == col(NotificationRow.notification_id))
        .where(col(NotificationRow.user_id) == subject.user_id, col(ChannelRow.status).in_(WAITING))
        .distinct()
        .order_by(col(NotificationRow.notification_id))
    )
    ids = (await session.exec(query.limit(AT_ONCE))).all()
    if not ids:
        return 0
    await messages.lock(session, ids)
    stopped = await messages.stop(session, ids)
    await messages.settle(session, subject.tenant_id, ids, overall)
    await _cancel(session, subject, [notification_send_id(one) for one in stopped], Service.NOTIFICATION)
    return len(stopped)


async def stop_compliance(session: AsyncSession, subject: Subject) -> int:
    """Cancel batches of theirs, and other requests about them."""
    ended = await data_requests.open_ones_of(session, subject)
    for request in ended:
        await _end(session, subject, request.request_id)
    waiting = (BatchStatus.UPLOADING, BatchStatus.PENDING, BatchStatus.RUNNING)
    query = select(BatchRow.batch_id).where(col(BatchRow.checked_by) == subject.user_id)
    batches = (await session.exec(query.where(col(BatchRow.status).in_(waiting)).limit(AT_ONCE))).all()
    for batch_id in batches:
        await compliance.cancel_batch(session, batch_id)
    await _cancel(session, subject, [batch_run_id(one) for one in batches], Service.COMPLIANCE)
    return len(ended) + len(batches)


async def _end(session: AsyncSession, subject: Subject, request_id: str) -> None:
    row = await data_requests.move(session, request_id, out_of=OPEN_REQUESTS, to=RequestStatus.CANCELLED)
    if row is not None:
        await data_requests.tell(session, row, Verb.CANCELLED, more={"because": subject.request_id})
        await add_intents(session, [decided(subject.tenant_id, request_id, intent_id=new_id("intent"))])


async def _cancel(session: AsyncSession, subject: Subject, workflow_ids: Sequence[str], service: Service) -> None:
    intents = [
        Intent(
            intent_id=new_id("intent"),
            kind=IntentKind.CANCEL,
            tenant_id=subject.tenant_id,
            workflow_id=workflow_id,
            service=service,
        )
        for workflow_id in workflow_ids
    ]
    if intents:
        await add_intents(session, intents)


STOPS: Mapping[Service, Stop] = {
    Service.TASK: stop_tasks,
    Service.NOTIFICATION: stop_notifications,
    Service.COMPLIANCE: stop_compliance,
}
