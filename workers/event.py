"""The event service's crew: replays, webhook retries, and the pumps of dispatch and roll-up."""

from activities.event import Delays, Deliveries, Dispatcher, Replays, Rollup
from activities.event.dispatch import Ports
from core.adapters.webhook import HttpWebhookSender
from core.contracts.event import QUEUE
from core.contracts.platform import PumpName
from core.telemetry import PumpMetrics
from workers.runtime import Crew, Deps
from workflows.event import EventReplay, WebhookDelivery
from workflows.options import LONGEST_RETRY_AFTER, THROTTLED_BACKOFF, TRANSIENT_BACKOFF


def deliveries(deps: Deps) -> Deliveries:
    """The delivery machine; the notification service's crew builds its own from here."""
    sender = HttpWebhookSender(secret_key=deps.settings.secret_key, allow_private=deps.settings.webhook_allow_private)
    deps.stack.push_async_callback(sender.close)
    return Deliveries(deps.database, sender, longest_retry_after=LONGEST_RETRY_AFTER.total_seconds())


def crew(deps: Deps) -> Crew:
    """Workflows, activities and pumps of events."""
    machine, watch, replays = deliveries(deps), PumpMetrics(), Replays(deps.database)
    first = Delays(
        transient=TRANSIENT_BACKOFF[0].total_seconds(),
        throttled=THROTTLED_BACKOFF[0].total_seconds(),
        longest=LONGEST_RETRY_AFTER.total_seconds(),
    )
    dispatcher = Dispatcher(Ports(deps.database, deps.database, deps.keeper, watch), machine, first=first)
    rollup = Rollup(deps.database, deps.database, watch)
    return Crew(
        queue=QUEUE,
        workflows=[EventReplay, WebhookDelivery],
        activities=[
            machine.attempt_one,
            machine.cancel,
            replays.run,
            replays.cancel,
            dispatcher.dispatch,
            rollup.rollup,
        ],
        pumps=[PumpName.WEBHOOK_DISPATCH, PumpName.EVENT_ROLLUP],
    )
