"""A small HTTP server that answers as told: well, badly, late, or not at all."""

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Headers = dict[str, str]


@dataclass(frozen=True)
class Reply:
    """One answer. `body` is sent as JSON unless it is bytes; `late` is a pause in seconds before it."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Headers = field(default_factory=dict)
    late: float = 0.0


@dataclass(frozen=True)
class Dropped:
    """The connection is closed instead of an answer; with `half`, in the middle of one."""

    half: bool = False


@dataclass(frozen=True)
class Received:
    """A request as it came in. Header names are in lower case."""

    method: str
    path: str
    headers: Headers
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


def problem(status: int, code: str, **more: Any) -> Reply:
    """An error as the platform tells it."""
    headers = more.pop("headers", {})
    body = {"type": f"urn:isa-operations:error:{code}", "title": "Title", "status": status, "code": code} | more
    return Reply(status, body, {"Content-Type": "application/problem+json"} | headers)


class ScriptedServer:
    """Answers with `script`, in order; the last entry is repeated. `received` is what came."""

    def __init__(self) -> None:
        self.script: deque[Reply | Dropped] = deque()
        self.received: list[Received] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, *script: Reply | Dropped) -> None:
        """Say what the next requests get."""
        self.script = deque(script)

    def _next(self) -> Reply | Dropped:
        return self.script.popleft() if len(self.script) > 1 else self.script[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.received.append(Received(self.command, self.path, headers, raw))
                told = server._next()
                if isinstance(told, Dropped):
                    self._drop(told)
                else:
                    self._send(told)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

            def _drop(self, told: Dropped) -> None:
                if told.half:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                self.close_connection = True

            def _send(self, told: Reply) -> None:
                time.sleep(told.late)  # in a thread of this connection
                body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
                self.send_response(told.status)
                for name, value in {"Content-Type": "application/json", **told.headers}.items():
                    self.send_header(name, value)
                if told.status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if told.status != 204:
                    with contextlib.suppress(ConnectionError):  # a client that did not wait so long
                        self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler

    @contextmanager
    def running(self) -> Iterator["ScriptedServer"]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
