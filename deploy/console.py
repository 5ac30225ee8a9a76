"""How the command line speaks: progress and trouble on stderr, answers on stdout."""

import re
import time

from rich.console import Console
from rich.markup import escape

from deploy.errors import OpsCliError

out = Console()
err = Console(stderr=True)
# in a log file a counter that runs up is worth a line now and then
QUIET_SECONDS = 10.0


class Progress:
    """A spinner on a terminal, lines elsewhere. Use it with `with`; what is said afterwards comes as lines."""

    def __init__(self) -> None:
        self._status = err.status("…") if err.is_terminal else None
        self._topic, self._said = "", 0.0

    def __enter__(self) -> "Progress":
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def __call__(self, message: str) -> None:
        if self._status:
            self._status.update(escape(message))
            return
        topic = re.sub(r"\d+", "", message)
        if topic != self._topic or time.monotonic() - self._said > QUIET_SECONDS:
            err.print(escape(message), highlight=False, soft_wrap=True)
            self._topic, self._said = topic, time.monotonic()

    def end(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None


def complain(error: OpsCliError) -> None:
    err.print(f"[bold red]✗[/] {escape(error.message)}", highlight=False, soft_wrap=True)
    err.print(f"  [bold]→[/] {escape(error.way_out)}", highlight=False, soft_wrap=True)
