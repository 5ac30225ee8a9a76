"""A local HTTP server that stands where a vendor's API is, and keeps what the vendor's own SDK sent."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from core.ports import OutgoingMessage


@dataclass
class Reply:
    """What the vendor answers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """What the SDK sent; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Vendor:
    """Answers by path's ending, else with `reply`."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.by_path: dict[str, Reply] = {}
        self.asked: list[Asked] = []
        self.url = ""

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return next((reply for path, reply in self.by_path.items() if asked.path.endswith(path)), self.reply)


@contextmanager
def vendor() -> Iterator[Vendor]:
    """One vendor on a free port."""
    standing = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            reply = standing.answer(
                Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            content = json.dumps(reply.body).encode() if reply.body is not None else b""
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    standing.url = f"http://127.0.0.1:{server.server_address[1]}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield standing
    server.shutdown()
    server.server_close()


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def message(*addresses: str, **changed: Any) -> OutgoingMessage:
    """A message as the delivery machine makes them."""
    given: dict[str, Any] = {
        "message_id": "notif_1.channel",
        "notification_id": "notif_1",
        "correlation_id": "corr_1",
        "addresses": addresses,
        "subject": "Hello",
        "text": "Welcome to isA",
    }
    return OutgoingMessage(**given | changed)
