"""Batches uploaded as lines: each line once and in its place, bad lines alone at fault, what broke off forgotten."""

import asyncio
import json
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.compliance import DOOR, uploads
from core.db import Database
from core.settings import Settings
from core.store import compliance as store
from tests.conftest import Doors, Headers, StartWorkers, eventually
from tests.traces import stored

API = "/api/v1/compliance"
LINES = {"Content-Type": "application/x-ndjson"}


def lines(rows: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


async def upload(
    client: httpx.AsyncClient, body: Any, query: str = "?check_types=pii", **headers: str
) -> httpx.Response:
    return await client.post(f"{API}/batches{query}", content=body, headers={**LINES, **headers})


async def completed(client: httpx.AsyncClient, batch_id: str, query: str = "?limit=1000") -> dict[str, Any]:
    async def probe() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(f"{API}/batches/{batch_id}{query}")).json()
        return found if found["status"] == "completed" else None

    found = await eventually(probe, within=60)
    assert found is not None
    return found


@pytest.fixture
async def running(workers: StartWorkers) -> None:
    await workers("compliance")


# ---- what arrives


async def test_lines_are_checked_in_their_order_with_their_ids(compliance: httpx.AsyncClient, running: None) -> None:
    rows = [{"id": f"row_{n}", "content": f"u{n}@example.com" if n % 2 else "plain"} for n in range(2500)]
    answer = await upload(compliance, lines(rows))
    body = answer.json()
    assert answer.status_code == 202
    assert (body["status"], body["progress"]["total"]) == ("pending", 2500)
    assert answer.headers["location"] == f"{API}/batches/{body['batch_id']}"
    done = await completed(compliance, body["batch_id"])
    assert done["by_status"] == {"flagged": 1250, "passed": 1250}
    assert [item["id"] for item in done["items"]] == [f"row_{n}" for n in range(1000)]
    listed = await compliance.get(f"{API}/batches/{body['batch_id']}/results")
    assert listed.headers["content-type"] == "application/x-ndjson"
    found = [json.loads(line) for line in listed.text.splitlines()]
    assert [(one["index"], one["id"]) for one in found] == [(n, f"row_{n}") for n in range(2500)]
    assert [one["status"] for one in found] == ["passed", "flagged"] * 1250


@pytest.mark.parametrize("query", ["?content_type=", "?check_types=rudeness", "?policy=", "?correlation_id="])
async def test_a_bad_query_is_422_and_opens_no_batch(compliance: httpx.AsyncClient, query: str) -> None:
    assert (await upload(compliance, lines([{"content": "fine"}]), query)).status_code == 422
    assert (await compliance.get(f"{API}/batches")).json()["items"] == []


async def test_a_bad_line_fails_alone_and_keeps_its_place_and_id(compliance: httpx.AsyncClient, running: None) -> None:
    body = b"\n".join(
        [
            b'{"id": "good", "content": "fine"}',
            b'{"id": "cut", "content": "no end',
            b"",
            b'{"id": "empty", "content": ""}',
            b'{"id": "long", "content": "' + b"x" * 110_000 + b'"}',
            b'{"id": "kind", "content": "x", "content_type": "image"}',
            b'{"id": "json", "content": "{", "content_type": "json"}',
            b'{"id": "last", "content": "fine"}',
        ]
    )
    batch_id = (await upload(compliance, body)).json()["batch_id"]
    done = await completed(compliance, batch_id)
    told = [(one["id"], one["status"], (one["error"] or {}).get("code")) for one in done["items"]]
    assert told == [
        ("good", "passed", None),
        ("cut", "failed", "line_malformed"),
        ("empty", "failed", "content_empty"),
        ("long", "failed", "content_too_long"),
        ("kind", "failed", "unsupported_content_type"),
        ("json", "failed", "content_malformed"),
        ("last", "passed", None),
    ]
    assert done["items"][1]["error"]["field"] == "items[1]"
    assert done["progress"]["failed"] == 5


async def test_the_mark_that_an_editor_begins_a_file_with_is_no_part_of_the_first_line(
    compliance: httpx.AsyncClient, running: None
) -> None:
    body = BOM_UTF8 + lines([{"id": "a", "content": "fine"}])
    batch_id = (await upload(compliance, body)).json()["batch_id"]
    done = await completed(compliance, batch_id)
    assert [(one["id"], one["status"]) for one in done["items"]] == [("a", "passed")]


async def test_content_of_other_kinds_is_read_as_such(compliance: httpx.AsyncClient, running: None) -> None:
    hidden = json.dumps({"mail": "a@example.com"})
    rows = [
        {"content": "<p>a&#64;example.com</p>"},
        {"content": hidden, "content_type": "json"},
    ]
    batch_id = (await upload(compliance, lines(rows), "?check_types=pii&content_type=html")).json()["batch_id"]
    done = await completed(compliance, batch_id)
    assert [one["status"] for one in done["items"]] == ["flagged", "flagged"]
    kept = (await compliance.get(f"{API}/checks/{done['items'][1]['check_id']}")).json()
    (span,) = kept["results"]["pii"]["spans"]
    assert (hidden[span["start"] : span["end"]], span["path"]) == ("a@example.com", "$.mail")


async def test_an_upload_names_its_policy_and_category(compliance: httpx.AsyncClient) -> None:
    query = "?check_types=pii&check_types=spam&policy=strict&category=mail&correlation_id=corr_up"
    body = (await upload(compliance, lines([{"content": "x"}]), query)).json()
    assert (body["policy"], body["category"], body["correlation_id"]) == ("strict", "mail", "corr_up")
    assert body["check_types"] == ["pii", "spam"]


# ---- what is refused


@pytest.mark.parametrize(
    ("body", "query", "status", "code"),
    [
        (b"", "", 422, "upload_empty"),
        (b"\n \n", "", 422, "upload_empty"),
        (b'{"content": "x"}', "?policy=lenient", 422, "unknown_policy"),
        (b'{"content": "x"}', "?check_types=sarcasm", 422, "invalid"),
        (b'{"content": "x"}', "?content_type=image", 415, "unsupported_content_type"),
    ],
)
async def test_an_upload_that_cannot_be_leaves_nothing(
    compliance: httpx.AsyncClient, database_url: str, tenant: str, body: bytes, query: str, status: int, code: str
) -> None:
    answer = await upload(compliance, body, query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "cbatch_" not in stored(database_url, tenant)


async def test_another_content_type_is_told_what_is_taken(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(f"{API}/batches", json={"items": []})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_content_type")
    assert "application/x-ndjson" in answer.json()["detail"]


async def test_more_lines_than_an_upload_may_hold_are_refused_and_forgotten(
    compliance: httpx.AsyncClient, database_url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_ROWS", 1200)
    answer = await upload(compliance, lines({"content": "marker-in-a-line"} for _ in range(1201)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_lines")
    assert "marker-in-a-line" not in stored(database_url, tenant)


async def test_more_bytes_than_an_upload_may_hold_are_refused_and_forgotten(
    settings: Settings, headers: Callable[..., Headers], database_url: str, tenant: str
) -> None:
    app = create_app(DOOR, settings.model_copy(update={"max_upload_bytes": 1_000_000}))

    async def body() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield lines({"content": "marker-in-a-line " * 5} for _ in range(500))

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=headers()) as client,
    ):
        answer = await upload(client, body())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "marker-in-a-line" not in stored(database_url, tenant)


# ---- what breaks off


class Gone(Exception):
    """The caller's connection breaks."""


async def _breaking() -> AsyncIterator[bytes]:
    yield lines({"content": "marker-in-a-line"} for _ in range(1500))
    raise Gone


async def test_an_upload_that_breaks_off_leaves_nothing(
    doors: Doors, headers: Callable[..., Headers], database_url: str, tenant: str
) -> None:
    transport = httpx.ASGITransport(await doors.app("compliance"))
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers()) as client:
        with pytest.raises(Gone):
            await upload(client, _breaking())
    assert "cbatch_" not in stored(database_url, tenant)


async def test_an_upload_that_stalls_is_given_up(
    settings: Settings, headers: Callable[..., Headers], database_url: str, tenant: str
) -> None:
    app = create_app(DOOR, settings.model_copy(update={"upload_idle_seconds": 0.2}))

    async def body() -> AsyncIterator[bytes]:
        yield lines({"content": "marker-in-a-line"} for _ in range(600))
        await asyncio.sleep(30)

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=headers()) as client,
    ):
        answer = await upload(client, body())
    assert (answer.status_code, answer.json()["code"]) == (422, "upload_stalled")
    assert "marker-in-a-line" not in stored(database_url, tenant)


async def test_an_upload_whose_lines_come_slowly_is_not_taken_for_one_that_broke_off(
    settings: Settings, headers: Callable[..., Headers], database: Database, tenant: str
) -> None:
    app = create_app(DOOR, settings.model_copy(update={"upload_idle_seconds": 2}))
    idle: list[str] = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(10):
            yield lines([{"content": f"line {number}"}])
            await asyncio.sleep(0.5)
            async with database.begin(tenant) as session:
                idle.extend(await store.idle_uploads(session, longer_than=timedelta(seconds=4)))

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=headers()) as client,
    ):
        answer = await upload(client, body())
    assert (answer.status_code, answer.json()["progress"]["total"]) == (202, 10)
    assert idle == []


async def test_an_upload_can_be_watched_and_cancelled(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient, database_url: str, tenant: str
) -> None:
    cancelled = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield lines({"content": "marker-in-a-line"} for _ in range(600))
        await cancelled.wait()
        yield lines({"content": "marker-in-a-line"} for _ in range(600))

    uploading = asyncio.create_task(upload(compliance, body()))

    async def seen() -> list[dict[str, Any]]:
        items = (await compliance.get(f"{API}/batches?status=uploading")).json()["items"]
        return [one for one in items if one["progress"]["total"]]

    (batch,) = await eventually(seen)
    answer = await compliance.post(f"{API}/batches/{batch['batch_id']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    cancelled.set()
    refused = await uploading
    assert (refused.status_code, refused.json()["code"]) == (409, "batch_finished")
    assert "marker-in-a-line" not in stored(database_url, tenant)


# ---- once


async def test_one_key_is_one_batch_however_often_it_is_sent(compliance: httpx.AsyncClient) -> None:
    sent = [await upload(compliance, lines([{"content": "x"}]), **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert [one.status_code for one in sent] == [202, 202]
    assert sent[0].content == sent[1].content
    assert sent[1].headers["idempotency-replayed"] == "true"
    assert len((await compliance.get(f"{API}/batches")).json()["items"]) == 1


async def test_the_same_key_twice_at_once_is_one_batch(compliance: httpx.AsyncClient) -> None:
    body = lines({"content": "x"} for _ in range(2000))
    both = await asyncio.gather(*(upload(compliance, body, **{"Idempotency-Key": "both"}) for _ in range(2)))
    assert {one.status_code for one in both} <= {202, 409}
    assert len((await compliance.get(f"{API}/batches")).json()["items"]) == 1


# ---- lists


async def test_batches_are_listed_newest_first_and_paged(compliance: httpx.AsyncClient) -> None:
    made = [(await upload(compliance, b'{"content": "x"}')).json()["batch_id"] for _ in range(3)]
    seen, cursor = [], ""
    while cursor is not None:
        page = (await compliance.get(f"{API}/batches?limit=2{cursor and f'&cursor={cursor}'}")).json()
        seen += [one["batch_id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]


async def test_a_user_lists_and_reads_only_batches_of_their_own(
    doors: Doors, headers: Callable[..., Headers], compliance: httpx.AsyncClient
) -> None:
    batch_id = (await upload(compliance, b'{"content": "x"}')).json()["batch_id"]
    async with await doors.client("compliance", headers(scope="user", user="ann")) as ann:
        assert (await ann.get(f"{API}/batches")).json()["items"] == []
        assert (await ann.get(f"{API}/batches/{batch_id}/results")).status_code == 404
