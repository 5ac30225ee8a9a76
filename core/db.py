"""Postgres at the edge: engines for the two roles, one transaction per request or activity, LISTEN."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import sql
from pydantic_core import from_json, to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from core.ports import Wakeup

APP_ROLE, PUMP_ROLE, ERASER_ROLE = "ops_app", "ops_pump", "ops_eraser"
STATEMENT_TIMEOUT_MS, LOCK_TIMEOUT_MS, CONNECT_TIMEOUT_SECONDS = 30_000, 5_000, 5
_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
_SET_ERASURE = text("SELECT set_config('app.erasure', :request, true), set_config('role', :role, true)")


def driver_url(url: str) -> str:
    """The same database for SQLAlchemy: the psycopg 3 driver named in the scheme."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0].replace('postgres', 'postgresql', 1) if scheme == 'postgres' else 'postgresql'}+psycopg://{rest}"


def plain_url(url: str) -> str:
    """The same database for psycopg itself."""
    return driver_url(url).replace("postgresql+psycopg://", "postgresql://", 1)


def _engine(url: str, role: str, pool: int) -> AsyncEngine:
    options = (
        f"-c role={role} -c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
    )
    return create_async_engine(
        driver_url(url),
        pool_size=pool,
        max_overflow=pool,
        pool_timeout=10,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text reaches logs and Temporal's histories; what people wrote must not
        connect_args={"options": options, "connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": role},
        json_serializer=lambda value: to_json(value).decode(),
        json_deserializer=from_json,
    )


class _Session(AsyncSession):
    """Hands out the connection it has: SQLAlchemy looks for it anew each time, on a stack of its own, which takes as
    long as to send a statement."""

    _held: AsyncConnection | None = None

    async def connection(
        self,
        bind_arguments: dict[str, Any] | None = None,
        execution_options: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> AsyncConnection:
        """The connection that this session's transaction holds."""
        if bind_arguments or execution_options or more or self._held is None or self._held.closed:
            self._held = await super().connection(bind_arguments, execution_options, **more)
        return self._held


class Database:
    """Both engines. They connect when first needed, so a Postgres that is away stops no process from starting."""

    def __init__(self, url: str, *, pool: int = 10) -> None:
        self._url = url
        self._app = _engine(url, APP_ROLE, pool)
        self._pump = _engine(url, PUMP_ROLE, pool)
        self._app_sessions = async_sessionmaker(self._app, class_=_Session, expire_on_commit=False)
        self._pump_sessions = async_sessionmaker(self._pump, class_=_Session, expire_on_commit=False)

    @asynccontextmanager
    async def begin(self, tenant: str) -> AsyncIterator[AsyncSession]:
        """One transaction in which row-level security shows this tenant's rows only."""
        async with self._app_sessions() as session, session.begin():
            await (await session.connection()).execute(_SET_TENANT, {"tenant": tenant})
            yield session

    @asynccontextmanager
    async def begin_all(self) -> AsyncIterator[AsyncSession]:
        """One transaction over all tenants, under the pumps' role."""
        async with self._pump_sessions() as session, session.begin():
            yield session

    @asynccontextmanager
    async def begin_erasure(self, tenant: str, request_id: str) -> AsyncIterator[AsyncSession]:
        """One transaction under the role that may change append-only rows: it sees the tenant's rows while this
        erasure is approved and running, else none."""
        async with self.begin(tenant) as session:
            given = {"request": request_id, "role": ERASER_ROLE}
            await (await session.connection()).execute(_SET_ERASURE, given)
            yield session

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Wakeup]:
        """A connection of its own that waits for NOTIFY on `channel`."""
        connection = await psycopg.AsyncConnection.connect(
            plain_url(self._url), autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS
        )
        async with connection:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield _Listening(connection)

    async def ping(self) -> None:
        """Raise if Postgres does not answer."""
        async with self._app.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Return every connection."""
        await asyncio.gather(self._app.dispose(), self._pump.dispose())


class _Listening:
    def __init__(self, connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        self._connection = connection

    async def wait(self, seconds: float) -> None:
        async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            return
