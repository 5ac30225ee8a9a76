"""The SDK and the five OpenAPI documents say the same: paths, query parameters, bodies, words, answers."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import isa_user
import pytest
from isa_user._models.base import Result
from isa_user._request import Request
from pydantic import BaseModel

from api.__main__ import door
from api.app import create_app
from core.settings import SERVICES, ServiceName, Settings

CLIENTS: dict[ServiceName, type] = {
    "audit": isa_user.AuditClient,
    "notification": isa_user.NotificationClient,
    "task": isa_user.TaskClient,
    "compliance": isa_user.ComplianceClient,
    "event": isa_user.EventClient,
}
# Query parameters that say what a keyword of the SDK says already.
SYNONYMS = {
    ("GET", "/api/v1/events"): {"user"},
    ("POST", "/api/v1/compliance/batch-check"): {"wait"},
    ("POST", "/api/v1/compliance/batches"): {"correlation_id"},
}


@dataclass(frozen=True)
class Call:
    """One call of a client with every keyword given, and what it would send and expects."""

    name: str
    hints: dict[str, Any]
    request: Request
    model: type[Result] | None
    paged: bool


def _value(hint: Any, name: str) -> Any:
    """Something that fits a keyword's annotation, unlike None."""
    origin, parts = get_origin(hint), [part for part in get_args(hint) if part is not NoneType]
    if origin in (Union, UnionType):
        return _value(parts[0], name)
    if origin is Literal:
        return parts[0]
    if is_typeddict(hint):
        return {key: _value(part, key) for key, part in get_type_hints(hint).items()}
    if origin is not None:
        return {"a": 1} if len(parts) == 2 else [_value(parts[0], name)]
    simple = {str: f"of_{name}", int: 1, float: 1.0, bool: True, datetime: datetime(2024, 1, 1), date: date(2024, 1, 1)}
    return simple.get(hint, {"any": "thing"})


async def _made(client: Any, name: str) -> Call:
    """Call a method with every keyword; the recorders in place of the transport keep what it asks for."""
    kept: list[tuple[Request, type[Result] | None, bool]] = []

    async def one(request: Request, model: type[Result], _: Any) -> None:
        kept.append((request, model, False))

    async def bare(request: Request, _: Any) -> None:
        kept.append((request, None, False))

    def many(request: Request, model: type[Result], _: Any) -> None:
        kept.append((request, model, True))

    def lines(request: Request, *_: Any) -> None:
        kept.append((request, None, False))

    client._call, client._pages, client._read_lines = one, many, lines
    client._do = client._text = client._bytes = bare
    method = getattr(client, name)
    hints = {k: v for k, v in get_type_hints(method).items() if k not in ("return", "options", "within")}
    answer = method(**{keyword: _value(hint, keyword) for keyword, hint in hints.items()})
    if inspect.isawaitable(answer):
        await answer
    ((request, model, paged),) = kept
    return Call(name, hints, request, model, paged)


def _names(client: type) -> Iterator[str]:
    inherited = dir(next(base for base in client.__mro__ if base.__name__ == "BaseClient"))
    for name, method in inspect.getmembers(client, inspect.isfunction):
        if name not in inherited and not name.startswith("wait_for_") and method.__doc__:
            yield name


CASES = [(service, name) for service, client in CLIENTS.items() for name in _names(client)]


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    unused = Settings.model_validate({"secret_key": "not used, only the documents are read"})
    return {name: create_app(door(name), unused).openapi() for name in SERVICES}


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _route(document: dict[str, Any], request: Request) -> str:
    """The route that a path belongs to; one without parameters goes first, as in the app."""
    for route in sorted(document["paths"], key=lambda one: one.count("{")):
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", route), request.path) and _has(document, route, request):
            return str(route)
    pytest.fail(f"there is no {request.method} {request.path}")


def _has(document: dict[str, Any], route: str, request: Request) -> bool:
    return request.method.lower() in document["paths"][route]


def _operation(document: dict[str, Any], request: Request) -> dict[str, Any]:
    operation: dict[str, Any] = document["paths"][_route(document, request)][request.method.lower()]
    return operation


def _body(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return _resolved(document, content)


@pytest.mark.parametrize(("service", "name"), CASES, ids=[f"{service}.{name}" for service, name in CASES])
async def test_a_call_sends_all_that_its_route_takes_and_nothing_else(
    documents: dict[str, dict[str, Any]], service: ServiceName, name: str
) -> None:
    document = documents[service]
    call = await _made(CLIENTS[service]("http://unused"), name)
    operation = _operation(document, call.request)

    taken = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
    synonyms = SYNONYMS.get((call.request.method, _route(document, call.request)), set())
    assert set(call.request.query) == taken - synonyms
    fields = set(_body(document, operation).get("properties", {}))
    by_header = {"correlation_id"} - set(call.hints)
    assert set(call.request.body or {}) == fields - by_header


@pytest.mark.parametrize(("service", "name"), CASES, ids=[f"{service}.{name}" for service, name in CASES])
async def test_the_words_that_a_call_offers_are_the_words_that_its_route_knows(
    documents: dict[str, dict[str, Any]], service: ServiceName, name: str
) -> None:
    document = documents[service]
    call = await _made(CLIENTS[service]("http://unused"), name)
    operation = _operation(document, call.request)
    schemas = {one["name"]: one["schema"] for one in operation.get("parameters", [])}
    schemas |= _body(document, operation).get("properties", {})

    for keyword, hint in call.hints.items():
        offered, known = set(_words(hint)), set(_enum(document, schemas.get(keyword, {})))
        assert offered == known, keyword


def _words(hint: Any) -> Iterator[str]:
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    elif not is_typeddict(hint):
        for part in get_args(hint):
            yield from _words(part)


def _enum(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    schema = _resolved(document, schema)
    yield from schema.get("enum", [schema["const"]] if "const" in schema else [])
    parts = [
        *schema.get("anyOf", []),
        *schema.get("allOf", []),
        schema.get("items", {}),
        schema.get("propertyNames", {}),
    ]
    for part in parts:
        if part and "properties" not in _resolved(document, part):
            yield from _enum(document, part)


@pytest.mark.parametrize(("service", "name"), CASES, ids=[f"{service}.{name}" for service, name in CASES])
async def test_a_result_has_all_that_its_route_answers(
    documents: dict[str, dict[str, Any]], service: ServiceName, name: str
) -> None:
    document = documents[service]
    call = await _made(CLIENTS[service]("http://unused"), name)
    if call.model is None:
        return
    answers = _operation(document, call.request)["responses"]
    good = next(answers[status] for status in ("200", "201", "202") if "content" in answers.get(status, {}))
    schema = _resolved(document, good["content"]["application/json"]["schema"])
    if call.paged:
        schema = _resolved(document, schema["properties"]["items"]["items"])

    assert list(_differences(document, call.model, schema, call.model.__name__)) == []


def _differences(document: dict[str, Any], model: type[BaseModel], schema: dict[str, Any], at: str) -> Iterator[str]:
    """What the SDK's model does not know, or counts on although the answer may lack it."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    told = schema.get("properties", {})
    yield from (f"{at}: does not know {name}" for name in sorted(set(told) - set(fields)))
    for name, field in fields.items():
        if name not in told:
            if field.is_required():
                yield f"{at}: counts on {name}"
            continue
        may_be_null = "null" in str(_types(document, told[name]))
        if may_be_null and NoneType not in get_args(field.annotation) and field.annotation is not Any:
            yield f"{at}: {name} may be null"
        if inner := _model_in(field.annotation):
            inner_schema = _object_in(document, told[name])
            if inner_schema:
                yield from _differences(document, inner, inner_schema, f"{at}.{name}")


def _types(document: dict[str, Any], schema: dict[str, Any]) -> list[Any]:
    return [part.get("type") for part in _resolved(document, schema).get("anyOf", [])]


def _model_in(hint: Any) -> type[BaseModel] | None:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    return next((found for part in get_args(hint) if (found := _model_in(part))), None)


def _object_in(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    schema = _resolved(document, schema)
    if "properties" in schema:
        return schema
    more = schema.get("additionalProperties")
    parts = [*schema.get("anyOf", []), *schema.get("allOf", []), schema.get("items"), more]
    return next((found for part in parts if isinstance(part, dict) and (found := _object_in(document, part))), None)


@pytest.mark.parametrize("service", SERVICES)
async def test_every_route_has_its_call(documents: dict[str, dict[str, Any]], service: ServiceName) -> None:
    document = documents[service]
    calls = [await _made(CLIENTS[service]("http://unused"), name) for name in _names(CLIENTS[service])]
    served = {(call.request.method, _route(document, call.request)) for call in calls}
    real = {
        (method.upper(), route)
        for route, operations in document["paths"].items()
        for method, operation in operations.items()
        if route.startswith("/api/") and "security" in operation  # signed links and callbacks carry no token
    }

    assert real - served == set()
