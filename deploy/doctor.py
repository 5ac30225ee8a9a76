"""`./ops doctor`: one check a line, and beside each that fails, how to mend it."""

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
from alembic.script import ScriptDirectory
from psycopg import sql
from rich.markup import escape
from rich.table import Table

from core.migrations import VERSION_TABLE, config
from deploy import health, locks, paths
from deploy.config import SERVICES, Stack
from deploy.console import out
from deploy.errors import OpsCliError
from deploy.local import temporal
from deploy.local.postgres import EmbeddedPostgres
from deploy.processes import port_taken
from deploy.up import check_ports

GIB = 2**30
LEAST_FREE_BYTES = 1 * GIB


@dataclass(frozen=True)
class Finding:
    """What was looked at, what it is like, and the way out when that is no good."""

    what: str
    detail: str
    fix: str | None = None


def examine(stack: Stack) -> bool:
    """Print all findings; whether every one is good."""
    findings = list(_findings(stack))
    table = Table("", "what", "found", "how to mend it")
    for column in table.columns:
        column.overflow = "fold"
    for finding in findings:
        mark = "[green]✓[/]" if finding.fix is None else "[red]✗[/]"
        table.add_row(mark, finding.what, escape(finding.detail), escape(finding.fix or ""))
    out.print(table)
    return all(finding.fix is None for finding in findings)


def _findings(stack: Stack) -> Iterator[Finding]:
    running = locks.held(stack.state.lock)
    yield _python()
    yield _disk()
    yield _secrets(stack)
    yield from _attempt("ports", lambda: _ports(stack, running=running))
    yield from _attempt("Temporal binary", lambda: _temporal_binary(stack))
    if not running:
        yield Finding("stack", "not running", "./ops up")
        return
    yield _postgres(stack)
    yield _temporal(stack)
    yield from (_service(stack, service) for service in SERVICES)


def _attempt(what: str, check: Callable[[], Finding]) -> Iterator[Finding]:
    try:
        yield check()
    except OpsCliError as error:
        yield Finding(what, error.message, error.way_out)


def _python() -> Finding:
    return Finding("Python", f"{sys.version.split()[0]} at {sys.prefix}")


def _disk() -> Finding:
    free = min(shutil.disk_usage(place).free for place in (paths.ROOT, paths.cache().parent) if place.exists())
    fix = None if free > LEAST_FREE_BYTES else "Free some space: Postgres stops when the disk is full."
    return Finding("disk", f"{free / GIB:.1f} GiB free", fix)


def _secrets(stack: Stack) -> Finding:
    path = stack.state.secrets
    if not path.exists():
        return Finding("secrets", "all given by the environment")
    private = stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    return Finding("secrets", str(path), None if private else f"Others can read them: chmod 600 {path}")


def _ports(stack: Stack, *, running: bool) -> Finding:
    ports = stack.ports()
    if not running:
        check_ports(ports, stack.host)
        return Finding("ports", f"all {len(ports)} are free")
    silent = [f"{port.purpose} ({port.number})" for port in ports if not port_taken(port.number, stack.host)]
    fix = "Look into ./ops logs, then ./ops down and ./ops up." if silent else None
    return Finding("ports", f"nobody listens: {', '.join(silent)}" if silent else f"all {len(ports)} are ours", fix)


def _temporal_binary(stack: Stack) -> Finding:
    if not stack.own_temporal:
        return Finding("Temporal binary", "not needed: TEMPORAL_ADDRESS is set")
    return Finding("Temporal binary", str(temporal.ensure_binary(lambda _: None)))


def _postgres(stack: Stack) -> Finding:
    url = stack.environment.get("DATABASE_URL") or EmbeddedPostgres(stack.state.postgres).url()
    if url is None:
        return Finding("Postgres", "the embedded server is down", "It is started again by itself; ./ops logs postgres")
    try:
        return _migrations(url)
    except psycopg.Error as error:
        return Finding("Postgres", str(error).strip(), "./ops logs postgres")


def _migrations(url: str) -> Finding:
    wanted = ScriptDirectory.from_config(config(url)).get_current_head()
    with psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
        query = sql.SQL("SELECT version_num FROM {}").format(sql.Identifier(VERSION_TABLE))
        row = connection.execute(query).fetchone()
    found = row[0] if row else None
    return Finding("Postgres", f"answers, schema {found}", None if found == wanted else f"./ops migrate (to {wanted})")


def _temporal(stack: Stack) -> Finding:
    said = health.parts(stack.probe_url("audit")).get("temporal", "unknown")
    fix = None if said == "ok" else "./ops logs temporal; work is accepted meanwhile and runs when it is back."
    return Finding("Temporal", f"{stack.temporal_address}: {said}", fix)


def _service(stack: Stack, service: str) -> Finding:
    """A front door tells of its own queue too, whether a worker polls it."""
    complaint = health.complaint(stack.probe_url(service))
    if complaint is None:
        return Finding(service, "ready, a worker polls its queue")
    log = "workers" if complaint.startswith("worker") else "api"
    return Finding(service, complaint, f"./ops logs {log}")
