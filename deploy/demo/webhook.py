"""A subscriber's endpoint, as anybody would write it: it verifies each signature and remembers what came."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from isa_user import webhooks


class Receiver:
    """`url` is where it listens; `secret` comes from the subscription; `messages` holds what was verified."""

    def __init__(self) -> None:
        self.secret = ""
        self.messages: queue.Queue[webhooks.WebhookMessage] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/events"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    receiver.messages.put(webhooks.verify(body, dict(self.headers.items()), secret=receiver.secret))
                except webhooks.WebhookVerificationError as error:
                    self.send_error(400, str(error))
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet: the story tells what came."""

        return Handler

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.close()
        thread.join()
