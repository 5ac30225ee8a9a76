"""A task service with nothing behind it, and the workflow that hands executions to workers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from temporalio import workflow
from temporalio.common import RetryPolicy


class FakeTasks:
    """Answers workers as the task service does and keeps what they said.

    `said(execution_id)` is a list of (what, body). `refuse[what]` holds (status, code) pairs to answer with first.
    """

    def __init__(self) -> None:
        self.payload: dict[str, Any] = {"file_id": "file_123"}
        self.refuse: dict[str, list[tuple[int, str]]] = {}
        self._said: dict[str, list[tuple[str, Any]]] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def said(self, execution_id: str, what: str | None = None) -> list[Any]:
        told = self._said.get(execution_id, [])
        return [body for word, body in told if word == what] if what else [word for word, _ in told]

    def answer(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        *_, task_id, _, execution_id, what = path.split("/")
        self._said.setdefault(execution_id, []).append((what, body))
        if waiting := self.refuse.get(what):
            status, code = waiting[0] if len(waiting) == 1 and status_stays(waiting[0]) else waiting.pop(0)
            return status, {"status": status, "code": code, "detail": "Refused."}
        if what == "start":
            return 200, {
                "task_id": task_id, "execution_id": execution_id, "name": "process_video", "type": "transcoding",
                "payload": self.payload, "status": "running", "attempt": body["attempt"], "correlation_id": "corr_1",
            }  # fmt: skip
        return 200, {"execution_id": execution_id, "status": "running"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = fake.answer(self.path, body)
                raw = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler

    @contextmanager
    def running(self) -> Iterator["FakeTasks"]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()


def status_stays(refusal: tuple[int, str]) -> bool:
    """Conflicts last; an outage passes."""
    return refusal[0] == 409


@workflow.defn(name="test.task_run")
class RunOneTask:
    """Hands one execution to `task:{tenant}:{type}` with the options that the task service uses."""

    @workflow.run
    async def run(self, queue: str, ref: dict[str, Any], seconds: float) -> Any:
        return await workflow.execute_activity(
            "task.execute",
            ref,
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=seconds),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=50), maximum_attempts=ref["attempt_limit"]
            ),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


def new_ref(tenant: str, attempt_limit: int = 3) -> dict[str, Any]:
    """An execution nobody used before, with a field that a newer server might add."""
    return {
        "tenant_id": tenant, "task_id": f"task_{uuid4().hex}", "execution_id": f"exec_{uuid4().hex}",
        "attempt_limit": attempt_limit, "newer": True,
    }  # fmt: skip
