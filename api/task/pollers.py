"""Whether a worker polls a queue, asked of Temporal at most every two seconds, and never at the cost of a request."""

import asyncio
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api.unit import State
from core.contracts.task import BUILT_IN, TaskStatus, served_queue
from core.tables.task import TaskRow

log = structlog.get_logger(__name__)

ASK_SECONDS, KEEP_SECONDS, KEEP_QUEUES = 0.5, 2.0, 1000
# A poll stays open for a minute; one that was last renewed before that has gone.
POLL_LIVES = timedelta(seconds=70)


async def waiting_for_worker(state: State, task: TaskRow) -> bool | None:
    """Pending, and no worker polls for its type. Our own workers serve the built-in ones."""
    if task.status != TaskStatus.PENDING or task.type in BUILT_IN:
        return False
    pollers: Pollers = state.extras["pollers"]
    polled = await pollers.poll(state.extras["temporal"], served_queue(task.tenant_id, task.type))
    return None if polled is None else not polled


class Pollers:
    """Answers from memory while fresh; None when Temporal cannot be asked."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, bool | None]] = OrderedDict()

    async def poll(self, client: Client, queue: str) -> bool | None:
        """Whether an activity worker polls this queue."""
        known = self._known.get(queue)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = await self._ask(client, queue)
        self._known[queue] = (time.monotonic() + KEEP_SECONDS, found)
        self._known.move_to_end(queue)
        if len(self._known) > KEEP_QUEUES:
            self._known.popitem(last=False)
        return found

    async def _ask(self, client: Client, queue: str) -> bool | None:
        request = DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        try:
            found = await asyncio.wait_for(client.workflow_service.describe_task_queue(request), ASK_SECONDS)
        except (RPCError, RuntimeError, TimeoutError, OSError) as error:
            log.debug("pollers.unknown", queue=queue, reason=type(error).__name__)
            return None
        oldest = datetime.now(UTC) - POLL_LIVES
        return any(poller.last_access_time.ToDatetime(UTC) > oldest for poller in found.pollers)
