"""With an OTLP endpoint set, one trace joins a request, the workflow it started and the activities that ran."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e.conftest import Stack, until

CALLER_TRACE = "0af7651916cd43dd8448eb211c80319c"


class Collector:
    """Takes spans as any OTLP backend does."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {}
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.names.setdefault(span.trace_id.hex(), set()).add(span.name)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Stack]:
    built = Stack(Path(tmp_path_factory.mktemp("traced")))
    built.extra = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    try:
        built.start()
        yield built
    finally:
        built.stop()


def test_one_trace_joins_request_workflow_and_activity(traced: Stack, collector: Collector) -> None:
    body = {
        "name": "ping",
        "type": "http_request",
        "payload": {"method": "GET", "url": f"{traced.url('audit')}/health/live"},
    }
    parent = f"00-{CALLER_TRACE}-b7ad6b7169203331-01"
    with traced.client("task") as client:
        assert client.post("/api/v1/tasks", json=body, headers={"traceparent": parent}).status_code == 201
    wanted = {"POST /api/v1/tasks", "StartWorkflow:task.run", "RunWorkflow:task.run"}
    until(lambda: wanted <= collector.names.get(CALLER_TRACE, set()), f"the caller's trace has {wanted}")
    until(lambda: any(name.startswith("RunActivity:") for name in collector.names[CALLER_TRACE]), "it has the activity")
