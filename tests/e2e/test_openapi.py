"""The five OpenAPI documents are complete, and property-based calls find every answer as documented and no 5xx."""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.__main__ import door
from api.app import create_app
from core.settings import SERVICES, ServiceName, Settings
from tests.e2e.conftest import Stack

EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


def _document(name: ServiceName) -> dict[str, Any]:
    """The document as the running door shows it; it needs no server to be made."""
    unused = Settings.model_validate({"secret_key": "not used, only the document is read"})
    document: dict[str, Any] = create_app(door(name), unused).openapi()
    return document


DOCUMENTS = {name: _document(name) for name in SERVICES}
OPERATIONS = [
    (name, method, path, operation)
    for name, document in DOCUMENTS.items()
    for path, methods in document["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(
    ("service", "method", "path", "operation"),
    OPERATIONS,
    ids=[f"{name} {method} {path}" for name, method, path, _ in OPERATIONS],
)
def test_an_operation_is_documented(service: str, method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation.get("summary"), "says nothing of what it does"
    if path.startswith("/api/"):
        assert {"401", "403", "422", "503"} <= set(operation["responses"]), "hides errors it can answer"
        assert operation["security"], "does not say that it needs a token"


SCHEMAS = {name: schemathesis.openapi.from_dict(document) for name, document in DOCUMENTS.items()}


@schemathesis.serializer("application/x-ndjson")
def lines_of_json(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """An upload: a list has a line for each entry, anything else is the one line."""
    return b"\n".join(json.dumps(line).encode() for line in (value if isinstance(value, list) else [value]))


# One test an operation, each under a name of its own: of several under one name, a run on several processes runs one.
@pytest.mark.parametrize(
    ("service", "method", "path"),
    [(service, method, path) for service, method, path, _ in OPERATIONS],
    ids=[f"{service} {method} {path}" for service, method, path, _ in OPERATIONS],
)
def test_answers_are_as_documented(stack: Stack, service: ServiceName, method: str, path: str) -> None:
    operation = SCHEMAS[service][path][method.upper()]
    headers = {"Authorization": f"Bearer {stack.token(tenant='schemathesis')}"}

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def calls(case: schemathesis.Case[Any]) -> None:
        answer = case.call(base_url=stack.url(service), headers=headers)
        case.validate_response(answer, checks=CHECKS)

    calls()
