"""Migrating and emptying the local data."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import locks, schema
from deploy.config import Stack
from deploy.console import err
from deploy.errors import OpsCliError
from deploy.local.postgres import EmbeddedPostgres
from deploy.up import down


def migrate(stack: Stack) -> None:
    with reachable(stack) as url:
        schema.migrate(stack.child_environment(url), stack.state.log("migrations"))
    err.print("The database is at the newest schema.")


@contextmanager
def reachable(stack: Stack) -> Iterator[str]:
    """The database's URL. An embedded server that does not run is started for as long as it is needed."""
    if not stack.own_postgres:
        yield stack.environment["DATABASE_URL"]
        return
    server = EmbeddedPostgres(stack.state.postgres)
    ran = server.running()
    url = server.start()
    try:
        yield url
    finally:
        if not ran:
            server.stop()


def reset(stack: Stack) -> None:
    """Only what this command line made is deleted: OPS_HOME may be a folder with other things in it."""
    down(stack)
    if locks.held(stack.state.lock):
        raise OpsCliError("The stack does not stop.", "See `./ops status` and `./ops logs supervisor`.")
    state = stack.state
    for folder in (state.postgres, state.temporal.parent, state.mail, state.logs):
        _delete(folder)
    err.print("All data is gone. [bold]./ops up[/] starts anew.")


def _delete(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
