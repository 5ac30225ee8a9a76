"""A batch sent as lines of JSON: written as they come, started once the last is there, given up where it breaks off."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.app import PROBLEMS
from api.compliance.access import PREFIX, Writer, must_read
from api.compliance.batches import head, new_batch, rules_of, start
from api.deps import AppState, Unit
from api.unit import State, StreamRoute
from core.contracts.compliance import (
    BATCH_CONTENT,
    LINES,
    MAX_ROWS,
    BatchHead,
    BatchWish,
    CheckTypes,
    ContentType,
    NewBatch,
    NewItem,
    all_types,
)
from core.contracts.compliance.policies import Category
from core.contracts.platform import Name, RefId
from core.domain.compliance.lines import LineCutter, read_line
from core.errors import Conflict, Invalid, TooLarge, Unsupported
from core.store import compliance as store

ROWS_AT_ONCE, CHARACTERS_AT_ONCE = 500, 1024 * 1024
"""As much as is held and written at a time."""
router = APIRouter(route_class=StreamRoute, responses=PROBLEMS)


def _wish(
    check_types: Annotated[CheckTypes | None, Query(description="what to look for; all five when left out")] = None,
    policy: Annotated[Name | None, Query()] = None,
    category: Annotated[Category | None, Query()] = None,
    content_type: Annotated[ContentType, Query(description="of lines that say nothing else")] = "text",
    correlation_id: Annotated[RefId | None, Query()] = None,
) -> BatchWish:
    return BatchWish(
        check_types=check_types or all_types(),
        policy=policy,
        category=category,
        content_type=content_type,
        correlation_id=correlation_id,
    )


@router.post(
    "/batches",
    response_model=BatchHead,
    status_code=202,
    summary="Upload a batch as lines of JSON",
    description=(
        f"Each line is an object with `content`, and `id` and `content_type` if you like; up to {MAX_ROWS:,} lines. "
        "A malformed line fails alone. Checking starts once all lines are there; an upload that breaks off leaves "
        "nothing. With an idempotency key, a batch that was accepted is not opened again, whatever the lines."
    ),
    openapi_extra={"requestBody": {"required": True, "content": {LINES: {"schema": {"type": "string"}}}}},
)
async def upload_batch(
    request: Request,
    unit: Unit,
    state: AppState,
    caller: Writer,
    wish: Annotated[BatchWish, Depends(_wish)],
    response: Response,
) -> BatchHead:
    _must_be_lines(request)
    must_read(wish.content_type, BATCH_CONTENT)
    new = await new_batch(state, caller, wish)
    await unit.let_go()
    upload = Upload(state, new, limit=(await rules_of(state, new)).policy.max_content_bytes)
    await upload.open()
    try:
        await upload.take(_in_time(request.stream(), state.settings.upload_idle_seconds))
        session = await unit.open()
        row = await store.seal_upload(session, new.batch_id)
        if row is None:
            raise _taken_away()
        await unit.promise(session, [start(row)])
    except BaseException as error:
        await unit.roll_back(error)
        await asyncio.shield(upload.discard())
        raise
    response.headers["Location"] = f"{PREFIX}/batches/{row.batch_id}"
    return head(state, row)


def _must_be_lines(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != LINES:
        detail = f"Send lines of JSON as Content-Type: {LINES}. A batch in one JSON body goes to {PREFIX}/batch-check."
        raise Unsupported(detail, code="unsupported_content_type")


async def _in_time(pieces: AsyncIterator[bytes], idle_seconds: int) -> AsyncIterator[bytes]:
    """The pieces of a body; Invalid when nothing comes for so long."""
    while True:
        try:
            async with asyncio.timeout(idle_seconds):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            detail = f"Nothing came for {idle_seconds} seconds: the upload is given up. Send it again."
            raise Invalid(detail, code="upload_stalled") from error
        yield piece


@dataclass(slots=True)
class Upload:
    """A batch that is being filled. `limit`: the longest text, in bytes."""

    state: State
    new: NewBatch
    limit: int
    _waiting: list[NewItem] = field(default_factory=list)
    _characters: int = 0
    _rows: int = 0
    _written_at: float = field(default_factory=time.monotonic)

    async def open(self) -> None:
        """Write the batch, empty."""
        async with self.state.database.begin(self.new.tenant_id) as session:
            await store.open_upload(session, self.new)

    async def take(self, pieces: AsyncIterator[bytes]) -> None:
        """Write every line of the body. Invalid where there is none, TooLarge where there are too many."""
        cutter = LineCutter()
        async for piece in pieces:
            for line in cutter.feed(piece):
                await self._add(line)
            if time.monotonic() - self._written_at > self.state.settings.upload_idle_seconds / 2:
                await self._write()  # lines that come slowly: the batch says that they still come
        for line in cutter.end():
            await self._add(line)
        if self._waiting:
            await self._write()
        if not self._rows:
            raise Invalid("The body holds no line: send at least one.", code="upload_empty")

    async def _add(self, line: bytes) -> None:
        self._rows += 1
        if self._rows > MAX_ROWS:
            detail = f"An upload may hold at most {MAX_ROWS:,} lines: send it in parts."
            raise TooLarge(detail, code="too_many_lines")
        item = read_line(line, limit=self.limit)
        self._waiting.append(item)
        self._characters += len(item.content or "")
        if len(self._waiting) >= ROWS_AT_ONCE or self._characters >= CHARACTERS_AT_ONCE:
            await self._write()

    async def _write(self) -> None:
        async with self.state.database.begin(self.new.tenant_id) as session:
            if not await store.add_items(session, self.new.batch_id, self._waiting):
                raise _taken_away()
        self._waiting, self._characters, self._written_at = [], 0, time.monotonic()

    async def discard(self) -> None:
        """Delete what was written. What even this cannot reach, the workers give up after a while."""
        gone = False
        while not gone:
            async with self.state.database.begin(self.new.tenant_id) as session:
                gone = await store.discard_upload(session, self.new.batch_id)


def _taken_away() -> Conflict:
    return Conflict("The batch was cancelled while it was uploaded.", code="batch_finished")
