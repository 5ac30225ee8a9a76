"""Where the event service's routes lie."""

PREFIX = "/api/v1"
EVENTS, REPLAYS, SUBSCRIPTIONS = "/events", "/events/replays", "/subscriptions"
