"""Lists: one page, all items, on from a cursor."""

from typing import Any

import isa_user
import isa_user.sync
import pytest

from tests.sdk.conftest import EVENT, MakeTwin
from tests.sdk.server import Reply, ScriptedServer, problem


def page(*ids: str, next_cursor: str | None = None) -> Reply:
    return Reply(
        200,
        {
            "items": [EVENT | {"event_id": one} for one in ids],
            "next_cursor": next_cursor,
        },
    )


async def test_iterating_asks_for_page_after_page(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(page("1", "2", next_cursor="c2"), page(next_cursor="c3"), page("3"))

    items = await client().items("query_events", event_type="user.*", limit=2)

    assert [item.event_id for item in items] == ["1", "2", "3"]
    assert [request.json.get("cursor") for request in server.received] == [None, "c2", "c3"]
    assert all(request.json["event_type"] == "user.*" for request in server.received)


async def test_a_list_asked_for_by_get_takes_its_cursor_in_the_query(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(page("1", next_cursor="c&2"), page("2"))

    items = await client("EventClient").items("query_events", event_type="user.*", limit=1)

    assert [item.event_id for item in items] == ["1", "2"]
    assert server.received[1].path == "/api/v1/events?event_type=user.%2A&limit=1&cursor=c%262"


async def test_one_page_knows_its_items_and_the_way_on(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(page("1", next_cursor="c2"), page("2"))

    first = await client().query_events(token="t")

    assert ([item.event_id for item in first.items], first.next_cursor) == (["1"], "c2")
    assert len(server.received) == 1


async def test_an_async_page_leads_to_the_next_until_the_last(server: ScriptedServer) -> None:
    server.answer(page("1", next_cursor="c2"), page("2"))
    async with isa_user.AuditClient(server.url, token="t") as audit:
        first = await audit.query_events()
        second = await first.next_page()
        assert second is not None
        assert await second.next_page() is None

    assert second.items[0].event_id == "2"
    assert server.received[1].headers["authorization"] == "Bearer t"


def test_a_sync_page_leads_to_the_next_until_the_last(server: ScriptedServer) -> None:
    server.answer(page("1", next_cursor="c2"), page("2"))
    with isa_user.sync.AuditClient(server.url) as audit:
        first = audit.query_events()
        second = first.next_page()
        assert second is not None
        assert second.next_page() is None

    assert second.items[0].event_id == "2"


async def test_pages_can_be_gone_through_as_pages(server: ScriptedServer) -> None:
    server.answer(page("1", "2", next_cursor="c2"), page("3"))

    async with isa_user.AuditClient(server.url) as audit:
        sizes = [len(one.items) async for one in audit.query_events().pages()]

    assert sizes == [2, 1]


async def test_stopping_early_asks_for_no_more(server: ScriptedServer) -> None:
    server.answer(page("1", next_cursor="c2"))

    async with isa_user.AuditClient(server.url) as audit:
        async for _ in audit.query_events():
            break

    assert len(server.received) == 1


async def test_an_error_on_a_later_page_is_told_there(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(page("1", next_cursor="c2"), problem(422, "bad_cursor"))

    with pytest.raises(isa_user.ValidationError):
        await client().items("query_events")


async def test_an_options_token_goes_to_every_page(client: MakeTwin, server: ScriptedServer) -> None:
    server.answer(page("1", next_cursor="c2"), page("2"))
    keywords: dict[str, Any] = {"token": "of the call"}

    await client(token="of the client").items("query_events", **keywords)

    assert {request.headers["authorization"] for request in server.received} == {"Bearer of the call"}
