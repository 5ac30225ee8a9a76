"""The event service: publishing, querying, replays, subscriptions, statistics."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from isa_user._async._io import Paged
from isa_user._async.base import BaseClient, CallOptions, ReadOptions, WriteOptions
from isa_user._constants import WAIT_WITHIN
from isa_user._models.base import BatchAccepted, Moment
from isa_user._models.event import (
    Delivery,
    DeliveryStatus,
    DeliveryType,
    Event,
    EventCategory,
    EventStatistics,
    NewEvent,
    Replay,
    ReplayStatus,
    Subscription,
    SubscriptionStatus,
)
from isa_user._request import Request, path

EVENTS = "/api/v1/events"
SUBSCRIPTIONS = "/api/v1/subscriptions"


class EventClient(BaseClient):
    """Publishes events, finds them again, replays them, and has them delivered to webhooks."""

    async def publish(
        self,
        *,
        event_type: str,
        source: str | None = None,
        category: EventCategory | None = None,
        payload: Mapping[str, Any] | None = None,
        stream: str | None = None,
        causation_id: str | None = None,
        occurred_at: Moment | None = None,
        **options: Unpack[WriteOptions],
    ) -> Event:
        """Publish one event; when this returns it is committed. Left out, `occurred_at` is now."""
        body = {
            "event_type": event_type,
            "source": source,
            "category": category,
            "payload": payload,
            "stream": stream,
            "causation_id": causation_id,
            "occurred_at": occurred_at,
        }
        return await self._call(Request(method="POST", path=EVENTS, body=body), Event, options)

    async def publish_batch(self, events: Sequence[NewEvent], **options: Unpack[WriteOptions]) -> BatchAccepted:
        """Publish up to 1,000 events, all or none. A `ValidationError` names the items: `events[3].event_type`."""
        request = Request(method="POST", path=f"{EVENTS}/batch", body={"events": events})
        return await self._call(request, BatchAccepted, options)

    def query_events(
        self,
        *,
        event_type: str | Sequence[str] | None = None,
        category: EventCategory | None = None,
        source: str | None = None,
        stream: str | None = None,
        published_by: str | None = None,
        correlation_id: str | None = None,
        from_date: Moment | None = None,
        to_date: Moment | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Paged[Event]:
        """Events that match all filters, newest first; `user.*` takes all types that begin so.

        `stream` is the main one if left out, and `*` all of them. `to_date` is exclusive. `correlation_id` is a filter.
        """
        query = {
            "event_type": event_type,
            "category": category,
            "source": source,
            "stream": stream,
            "published_by": published_by,
            "correlation_id": correlation_id,
            "from": from_date,
            "to": to_date,
            "limit": limit,
            "cursor": cursor,
        }
        return self._pages(Request(method="GET", path=EVENTS, query=query), Event, options)

    async def get_event(self, event_id: str, **options: Unpack[ReadOptions]) -> Event:
        """One event."""
        return await self._call(Request(method="GET", path=path(EVENTS + "/{}", event_id)), Event, options)

    async def statistics(self, **options: Unpack[ReadOptions]) -> EventStatistics:
        """How many events there are, in all, today, and by category."""
        return await self._call(Request(method="GET", path=f"{EVENTS}/statistics"), EventStatistics, options)

    async def replay(
        self,
        *,
        from_timestamp: Moment,
        to_timestamp: Moment | None = None,
        target_stream: str,
        event_types: Sequence[str] | None = None,
        source_stream: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> Replay:
        """Copy the events from `from_timestamp` until before `to_timestamp` (now if left out) into `target_stream`.

        Each is there once, however often it is replayed. `wait_for_replay` waits until that is done.
        """
        body = {
            "from_timestamp": from_timestamp,
            "to_timestamp": to_timestamp,
            "event_types": event_types,
            "source_stream": source_stream,
            "target_stream": target_stream,
        }
        return await self._call(Request(method="POST", path=f"{EVENTS}/replay", body=body), Replay, options)

    def list_replays(
        self,
        *,
        status: ReplayStatus | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Replay]:
        """Replays, newest first."""
        query = {"status": status, "limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=f"{EVENTS}/replays", query=query), Replay, options)

    async def get_replay(self, replay_id: str, **options: Unpack[ReadOptions]) -> Replay:
        """How far a replay is."""
        return await self._call(Request(method="GET", path=path(EVENTS + "/replays/{}", replay_id)), Replay, options)

    async def wait_for_replay(
        self, replay_id: str, *, within: float = WAIT_WITHIN, **options: Unpack[ReadOptions]
    ) -> Replay:
        """The replay once it has ended, completed or cancelled. `TimedOut` after `within` seconds."""
        return await self._wait(
            lambda: self.get_replay(replay_id, **options), done=lambda replay: replay.finished, within=within
        )

    async def cancel_replay(self, replay_id: str, **options: Unpack[WriteOptions]) -> Replay:
        """Stop a replay; what it has copied stays. `Conflict` when it has ended."""
        request = Request(method="POST", path=path(EVENTS + "/replays/{}/cancel", replay_id))
        return await self._call(request, Replay, options)

    async def subscribe(
        self,
        *,
        event_types: Sequence[str],
        webhook_url: str,
        delivery_type: DeliveryType = "webhook",
        stream: str | None = None,
        description: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> Subscription:
        """Have events delivered to a webhook. Keep the answer's `secret` for `isa_user.webhooks`: it is shown once."""
        body = {
            "event_types": event_types,
            "delivery_type": delivery_type,
            "webhook_url": webhook_url,
            "stream": stream,
            "description": description,
        }
        return await self._call(Request(method="POST", path=SUBSCRIPTIONS, body=body), Subscription, options)

    def list_subscriptions(
        self,
        *,
        status: SubscriptionStatus | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Subscription]:
        """Subscriptions, newest first, without their secrets."""
        query = {"status": status, "limit": limit, "cursor": cursor}
        return self._pages(Request(method="GET", path=SUBSCRIPTIONS, query=query), Subscription, options)

    async def get_subscription(self, subscription_id: str, **options: Unpack[ReadOptions]) -> Subscription:
        """One subscription, without its secret."""
        request = Request(method="GET", path=path(SUBSCRIPTIONS + "/{}", subscription_id))
        return await self._call(request, Subscription, options)

    async def update_subscription(
        self,
        subscription_id: str,
        *,
        event_types: Sequence[str] | None = None,
        webhook_url: str | None = None,
        status: SubscriptionStatus | None = None,
        description: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Subscription:
        """Change what is given. A paused subscription matches no new events; what already waits goes out later."""
        body = {
            "event_types": event_types,
            "webhook_url": webhook_url,
            "status": status,
            "description": description,
        }
        request = Request(method="PATCH", path=path(SUBSCRIPTIONS + "/{}", subscription_id), body=body)
        return await self._call(request, Subscription, options)

    async def unsubscribe(self, subscription_id: str, **options: Unpack[ReadOptions]) -> None:
        """Delete a subscription: nothing more is delivered."""
        await self._do(Request(method="DELETE", path=path(SUBSCRIPTIONS + "/{}", subscription_id)), options)

    def deliveries(
        self,
        subscription_id: str,
        *,
        status: DeliveryStatus | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Paged[Delivery]:
        """What was delivered to a subscription, or tried, with every attempt, newest first."""
        query = {"status": status, "limit": limit, "cursor": cursor}
        request = Request(method="GET", path=path(SUBSCRIPTIONS + "/{}/deliveries", subscription_id), query=query)
        return self._pages(request, Delivery, options)

    async def redeliver(self, subscription_id: str, delivery_id: str, **options: Unpack[WriteOptions]) -> Delivery:
        """Send a delivery again, or hurry one that waits for its next try."""
        target = path(SUBSCRIPTIONS + "/{}/deliveries/{}/redeliver", subscription_id, delivery_id)
        return await self._call(Request(method="POST", path=target), Delivery, options)

    async def rotate_secret(self, subscription_id: str, **options: Unpack[WriteOptions]) -> Subscription:
        """Get a new signing secret; the old one signs beside it for 24 hours."""
        request = Request(method="POST", path=path(SUBSCRIPTIONS + "/{}/rotate-secret", subscription_id))
        return await self._call(request, Subscription, options)
