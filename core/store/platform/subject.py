"""What a service's tables hold of one person: found page by page, handed out, deleted or pseudonymised.

A service declares its `Holding`s; the two functions here take one bounded step with them, in the caller's transaction.
Names of tables and columns are the code's own; everything else is bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy import LargeBinary, RowMapping, text
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from core.contracts.compliance.data_requests import Deed
from core.store.platform import scan_long
from core.store.platform.mentions import Rewriter, in_page, needle, unmistakable

PAGE, SMALL_PAGE = 500, 100
"""Rows a page; fewer where one row may hold hundreds of kilobytes."""
INTERNAL = ("tenant_id", "seq", "xid")
MARKER = "CAST(:marker AS jsonb)"
_HOLD = text("SELECT 1 FROM ops.cursors WHERE name = :name FOR UPDATE")

Place = list[Any]
"""Where the next page begins: the number of the holding, and the key of the last row seen. Empty: at the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose data. `addresses`: e-mail addresses and phone numbers that name the person too."""

    tenant_id: str
    user_id: str
    alias: str
    request_id: str
    addresses: tuple[str, ...] = ()

    def bound(self) -> dict[str, Any]:
        """As parameters of a holding's conditions."""
        return {
            "tenant": self.tenant_id,
            "user": self.user_id,
            "alias": self.alias,
            "request": self.request_id,
            "clear": unmistakable(self.user_id),
            "needle": needle(self.user_id),
            "in_page": in_page(self.user_id),
            "addresses": [address.lower() for address in self.addresses],
            "marker": to_json({"erased_by": self.request_id}).decode(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Rows of one table that are about a person: `belongs` says which (the table is `t`), the rest what becomes of it.

    `still`: which of them an erasure has not reached yet, where `belongs` goes on to hold. `changed`: a SET list;
    without it the rows are deleted. `mentions`: columns of other people's rows in which only the name is replaced.
    `veiled`: columns that name people, shown only where that is the subject. `pump`: whose counters must stand still.
    `unfinished`: rows about anybody whose makers, if they are at it, have read what was there before: waited for.
    """

    table: str
    key: Mapping[str, str]
    belongs: str
    still: str = "true"
    deed: Deed = Deed.PSEUDONYMISED
    changed: str = ""
    merged: str = ""
    mentions: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    veiled: tuple[str, ...] = ()
    exported: bool = True
    pump: str = ""
    unfinished: str = ""
    kept: str | None = None
    page: int = PAGE

    @property
    def kind(self) -> str:
        """The name that results and exports have for these rows."""
        return f"{self.table}.mentions" if self.mentions else self.table


@dataclass(frozen=True, slots=True)
class Step:
    """What one page came to. `next` is None after the last."""

    kind: str
    rows: int
    next: Place | None
    lines: Sequence[bytes] = ()


def mention(*columns: str) -> str:
    """Rows with a text or JSON column that names the person."""
    return "(" + " OR ".join(_mention(column) for column in columns) + ")"


def _mention(column: str) -> str:
    by_address = f"SELECT FROM unnest(CAST(:addresses AS text[])) AS a WHERE strpos(lower(t.{column}::text), a) > 0"
    by_name = f"strpos(t.{column}::text, :needle) > 0 OR strpos(t.{column}::text, :in_page) > 0"
    return f"coalesce({by_name} OR EXISTS ({by_address}), false)"


def swapped(*columns: str) -> str:
    """A SET list that puts the pseudonym where these columns name the person."""
    return ", ".join(f"{column} = CASE WHEN t.{column} = :user THEN :alias ELSE t.{column} END" for column in columns)


async def export_step(session: AsyncSession, holdings: Sequence[Holding], subject: Subject, place: Place) -> Step:
    """The next page of this person's rows, one JSON text each."""
    at, after = _read(place)
    holding = holdings[at]
    if not holding.exported:
        return Step(holding.kind, 0, _following(holdings, at))
    columns = f"(SELECT to_jsonb(x)::text FROM (SELECT {_shown(holding)}) AS x) AS line"
    rows = await _page(session, holding, subject, after, columns=columns, where=holding.belongs)
    lines = [row["line"].encode() for row in rows]
    return Step(holding.kind, len(rows), _next(holdings, at, rows), lines)


async def erase_step(session: AsyncSession, holdings: Sequence[Holding], subject: Subject, place: Place) -> Step:
    """Delete, pseudonymise or rewrite the next page of this person's rows."""
    at, after = _read(place)
    holding = holdings[at]
    if holding.mentions:
        return await _rewrite(session, holdings, at, subject, after)
    connection = await session.connection()
    await scan_long(session)
    if holding.pump:
        await connection.execute(_HOLD, {"name": holding.pump})
    if holding.merged:
        rows = (await connection.execute(text(holding.merged), subject.bound())).rowcount
        return Step(holding.kind, rows, _following(holdings, at))
    found = list((await connection.execute(text(_found(holding)), subject.bound())).scalars())
    await connection.execute(text(_erasure(holding)), subject.bound() | {"found": found})
    return Step(holding.kind, len(found), _following(holdings, at) if len(found) < holding.page else [at, None])


def _found(holding: Holding) -> str:
    """Where the next page's rows lie. A statement of its own: one that others have just written while this waited for
    it lies where only a later statement looks."""
    return (
        f"SELECT t.ctid::text FROM {holding.table} t WHERE t.tenant_id = :tenant AND ({holding.belongs}) "
        f"AND ({holding.still}) LIMIT {holding.page} FOR UPDATE"
    )


def _erasure(holding: Holding) -> str:
    verb = (
        f"UPDATE {holding.table} AS t SET {holding.changed}" if holding.changed else f"DELETE FROM {holding.table} AS t"
    )
    return f"{verb} WHERE t.ctid = ANY(CAST(CAST(:found AS text[]) AS tid[]))"


async def _rewrite(
    session: AsyncSession, holdings: Sequence[Holding], at: int, subject: Subject, after: Sequence[str] | None
) -> Step:
    """Other people's rows stay; in them the name gives way to the pseudonym, an address to nothing."""
    holding = holdings[at]
    if holding.unfinished:
        await _wait_for_makers(session, holding, subject)
    columns = ", ".join(f"t.{name} AS {name}" for name in holding.mentions)
    rows = await _page(session, holding, subject, after, columns=columns, where=holding.belongs, lock="FOR UPDATE OF t")
    changed, rewrite = 0, Rewriter(subject.user_id, subject.alias, subject.addresses)
    for row in rows:
        new = {name: rewrite.of(row[name], name) for name in holding.mentions}
        if any(new[name] != row[name] for name in holding.mentions):
            await _put(session, holding, row, new)
            changed += 1
    return Step(holding.kind, changed, _next(holdings, at, rows))


async def _wait_for_makers(session: AsyncSession, holding: Holding, subject: Subject) -> None:
    """Until each row that is being made is written or given up; who makes one after this page reads what it left."""
    unfinished = f"SELECT FROM {holding.table} t WHERE t.tenant_id = :tenant AND ({holding.unfinished}) FOR UPDATE"
    connection = await session.connection()
    await scan_long(session)
    await connection.execute(text(unfinished), {"tenant": subject.tenant_id})


async def _put(session: AsyncSession, holding: Holding, row: RowMapping, new: Mapping[str, Any]) -> None:
    kinds = SQLModel.metadata.tables[holding.table].c
    sets = [f"{name} = CAST(:{name} AS {kinds[name].type.compile()})" for name in new]
    where = " AND ".join(f"{name} = CAST(:k{n} AS {kind})" for n, (name, kind) in enumerate(holding.key.items()))
    values = {name: _sent(kinds[name].type.compile(), value) for name, value in new.items()}
    keys = {f"k{n}": row[f"k{n}"] for n in range(len(holding.key))}
    more = f", {holding.changed}" if holding.changed else ""
    statement = f"UPDATE {holding.table} SET {', '.join(sets)}{more} WHERE {where}"
    await (await session.connection()).execute(text(statement), values | keys)


def _sent(kind: str, value: Any) -> Any:
    return to_json(value).decode() if kind == "JSONB" and value is not None else value


async def _page(
    session: AsyncSession,
    holding: Holding,
    subject: Subject,
    after: Sequence[str] | None,
    *,
    columns: str,
    where: str,
    lock: str = "",
) -> Sequence[RowMapping]:
    names = ", ".join(f"t.{name}" for name in holding.key)
    keys = ", ".join(f"t.{name}::text AS k{n}" for n, name in enumerate(holding.key))
    beyond = f"AND ({names}) > ({_bound(holding)})" if after else ""
    statement = (
        f"SELECT {keys}, {columns} FROM {holding.table} t WHERE t.tenant_id = :tenant AND ({where}) {beyond} "
        f"ORDER BY {names} LIMIT {holding.page} {lock}"
    )
    given = subject.bound() | {f"k{n}": key for n, key in enumerate(after or ())}
    connection = await session.connection()
    await scan_long(session)
    return (await connection.execute(text(statement), given)).mappings().all()


def _bound(holding: Holding) -> str:
    return ", ".join(f"CAST(:k{n} AS {kind})" for n, kind in enumerate(holding.key.values()))


def _shown(holding: Holding) -> str:
    table = SQLModel.metadata.tables[holding.table]
    never = {*INTERNAL, *holding.hidden}
    names = [c.name for c in table.c if c.name not in never and not isinstance(c.type, LargeBinary)]
    return ", ".join(
        f'CASE WHEN t."{name}" = :user THEN t."{name}" END AS "{name}"' if name in holding.veiled else f't."{name}"'
        for name in names
    )


def _read(place: Place) -> tuple[int, Sequence[str] | None]:
    return (place[0], place[1]) if place else (0, None)


def _following(holdings: Sequence[Holding], at: int) -> Place | None:
    return [at + 1, None] if at + 1 < len(holdings) else None


def _next(holdings: Sequence[Holding], at: int, rows: Sequence[RowMapping]) -> Place | None:
    holding = holdings[at]
    if len(rows) < holding.page:
        return _following(holdings, at)
    return [at, [rows[-1][f"k{n}"] for n in range(len(holding.key))]]
