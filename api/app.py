"""The app factory: one FastAPI application a service, its lifespan, health and metrics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api import errors
from api.edge import Edge
from api.unit import OpsRoute, State
from core.contracts.platform import Answer, Problem
from core.db import Database
from core.settings import ServiceName, Settings
from core.telemetry import set_up_traces
from core.temporal import Keeper, connect

HEALTH_SECONDS = 2.0
BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "`./ops token` prints a local one."}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": why, "content": {errors.MEDIA_TYPE: {}}}
    for status, why in {
        400: "The body cannot be read",
        401: "No token, or one that proves nothing",
        403: "The token does not allow this",
        404: "Nothing there that the caller may see",
        409: "Not possible in the present state",
        413: "The body is over the limit",
        415: "Content type not supported",
        422: "The request breaks a rule; errors names each field",
        429: "Too many requests",
        503: "A part this needs is away; Retry-After says when to try again",
    }.items()
}
GONE: dict[str, Any] = {
    "model": Problem,
    "description": "It was there, and is deleted for good",
    "content": {errors.MEDIA_TYPE: {}},
}


class Health(Answer):
    """What this front door needs, part by part: `ok`, or why not."""

    status: str
    parts: dict[str, str]


@dataclass(frozen=True)
class Door:
    """What makes one service's app: its routes, its queue, and what its lifespan builds beyond the common state.

    `parts`: what health tells of the extras, `ok` or why not; `closing`: ends them; `body_limits`: bytes, by path,
    where a route takes more or less than the others.
    """

    name: ServiceName
    summary: str
    router: APIRouter
    extras: Callable[[Settings, Database], dict[str, Any]] = lambda _settings, _database: {}
    parts: Callable[[Mapping[str, Any]], dict[str, str]] = lambda _extras: {}
    closing: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None
    body_limits: Callable[[Settings], dict[str, int]] = lambda _settings: {}


def router(prefix: str, tag: str) -> APIRouter:
    """A service's router: strict JSON, one transaction a request, idempotency keys, every problem documented."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=OpsRoute, responses=PROBLEMS)


def create_app(door: Door, settings: Settings, *, client: Client | None = None) -> FastAPI:
    """One service's application. Tests pass a client; otherwise a lazy one is made."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            set_up_traces(door.name, settings)
            database = Database(settings.database_url, pool=settings.database_pool)
            stack.push_async_callback(database.close)
            temporal = client or await connect(settings, lazy=True)
            extras = await asyncio.to_thread(door.extras, settings, database)
            app.state.ops = state = State(settings, database, Keeper(temporal), {"temporal": temporal, **extras})
            stack.push_async_callback(state.kept.settle)
            if door.closing:
                stack.push_async_callback(door.closing, extras)
            yield

    app = FastAPI(
        title=f"isA Operations: {door.name}",
        summary=door.summary,
        version="1",
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    errors.install(app)
    app.include_router(door.router)
    _add_health(app, door)
    app.add_middleware(
        Edge,
        service=door.name,
        max_body_bytes=settings.max_body_bytes,
        body_limits=door.body_limits(settings),
        traced=settings.otlp_endpoint is not None,
    )
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # FastAPI's own way to adjust the document
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: FastAPI's, with the token that OpsRoute asks for and problems as they are sent."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        document["components"].setdefault("securitySchemes", {})["bearer"] = BEARER
        for path, methods in document["paths"].items():
            for operation in methods.values():
                _tell_the_truth(operation, needs_token=path.startswith("/api/"))
        app.openapi_schema = document
    return app.openapi_schema


def _tell_the_truth(operation: dict[str, Any], *, needs_token: bool) -> None:
    if needs_token:
        operation["security"] = [{"bearer": []}]
    for status, response in operation["responses"].items():
        if int(status) >= 400 and errors.MEDIA_TYPE in response.get("content", {}):
            response["content"] = {errors.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _add_health(app: FastAPI, door: Door) -> None:
    @app.get("/health/live", tags=["health"], summary="The process runs")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/health/ready",
        tags=["health"],
        summary="Postgres answers; Temporal and a worker are told, but work is accepted without them",
        response_model=Health,
        responses={503: {"model": Health, "description": "Postgres is away"}},
    )
    async def ready(response: Response) -> Health:
        state: State = app.state.ops
        temporal: Client = state.extras["temporal"]
        names = ("postgres", "temporal", "worker")
        found = await asyncio.gather(_postgres(state.database), _temporal(temporal), _worker(temporal, door.name))
        parts = dict(zip(names, found, strict=True)) | door.parts(state.extras)
        response.status_code = 200 if parts["postgres"] == "ok" else 503
        if response.status_code == 503:
            response.headers["Retry-After"] = str(errors.POSTGRES_AWAY_SECONDS)
            return Health(status="unavailable", parts=parts)
        return Health(status="ok" if set(parts.values()) == {"ok"} else "degraded", parts=parts)

    @app.get("/metrics", tags=["health"], summary="Prometheus metrics", response_class=Response)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _postgres(database: Database) -> str:
    try:
        await asyncio.wait_for(database.ping(), HEALTH_SECONDS)
    except (SQLAlchemyError, TimeoutError, OSError) as error:
        return f"away: {type(error).__name__}"
    return "ok"


async def _temporal(client: Client) -> str:
    try:
        await asyncio.wait_for(client.service_client.check_health(), HEALTH_SECONDS)
    except (RPCError, RuntimeError, TimeoutError) as error:
        return f"away: {type(error).__name__}"
    return "ok"


async def _worker(client: Client, queue: str) -> str:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    try:
        found = await asyncio.wait_for(client.workflow_service.describe_task_queue(request), HEALTH_SECONDS)
    except (RPCError, RuntimeError, TimeoutError) as error:
        return f"unknown: {type(error).__name__}"
    return "ok" if found.pollers else "no worker polls this queue"


def names_of(doors: Sequence[Door]) -> list[str]:
    """The services these doors open."""
    return [door.name for door in doors]
