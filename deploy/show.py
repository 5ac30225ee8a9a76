"""What a person sees of a stack: addresses and what to try next, processes and their memory."""

import os
import subprocess
import sys
import time

from rich.markup import escape
from rich.table import Table

from deploy import health, locks, memory, paths, record
from deploy.config import SERVICES, Stack
from deploy.console import err, out
from deploy.local.postgres import EmbeddedPostgres
from deploy.processes import same


def welcome(stack: Stack) -> None:
    out.print(addresses(stack))
    token = _token()
    out.print("\nA token to paste (user_123, admin, tenant default; [bold]./ops token[/] makes others):\n")
    out.print(token, soft_wrap=True, highlight=False, markup=False)
    out.print("\nTry next:\n")
    for line in _try_next(stack):
        out.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
    out.print()


def addresses(stack: Stack) -> Table:
    table = Table(title="isA Operations is up", title_justify="left", title_style="bold")
    for heading in ("what", "address", "documentation"):
        table.add_column(heading, overflow="fold")
    for service in SERVICES:
        url = stack.service_url(service)
        table.add_row(service, url, f"{url}/docs")
    table.add_section()
    table.add_row("Temporal UI", stack.ui_url, "")
    table.add_row("Temporal", stack.temporal_address, "")
    if stack.own_postgres:
        table.add_row("Postgres", EmbeddedPostgres(stack.state.postgres).url() or "starting", "")
    if stack.own_mailbox:
        table.add_row("mailbox", f"smtp://localhost:{stack.environment['OPS_SMTP_PORT']}", "./ops mail")
        table.add_row("kept mail", short(str(stack.state.mail)), "")
    table.add_row("logs", short(str(stack.state.logs)), "./ops logs")
    return table


def short(path: str) -> str:
    """As one would type it from the checkout."""
    relative = os.path.relpath(path, paths.ROOT)
    return path if relative.startswith("..") else relative


def _token() -> str:
    """From a process of its own: the supervisor would carry the cryptography it needs for ever."""
    made = subprocess.run(
        [sys.executable, "-m", "deploy", "token"], capture_output=True, text=True, cwd=paths.ROOT, check=False
    )
    return made.stdout.strip() if made.returncode == 0 else f"(none: {made.stderr.strip()})"


def _try_next(stack: Stack) -> list[str]:
    return [
        "./ops demo                                  the whole story in one minute",
        "TOKEN=$(./ops token)",
        f'curl -H "Authorization: Bearer $TOKEN" {stack.service_url("audit")}/api/v1/audit/users/user_123/summary',
        f"open {stack.ui_url}                  every piece of work, step by step",
    ]


def status(stack: Stack) -> bool:
    """Print the processes and what each service says; whether all is well."""
    running = record.read(stack.state.run)
    if running is None or not (locks.held(stack.state.lock) or same(running.supervisor)):
        err.print("Nothing of this checkout is running. [bold]./ops up[/] starts it.")
        return False
    out.print(_processes(running))
    table = Table("service", "address", "state")
    states = {service: health.complaint(stack.probe_url(service)) for service in SERVICES}
    for service, complaint in states.items():
        table.add_row(service, stack.service_url(service), f"[red]{escape(complaint)}[/]" if complaint else "ready")
    out.print(table)
    return not any(states.values())


def _processes(running: record.Running) -> Table:
    table = Table("process", "pid", "up for", "memory (PSS)")
    used = memory.by_part(running)
    for name, identity in {"supervisor": running.supervisor, **running.parts}.items():
        alive = same(identity)
        table.add_row(
            name,
            str(identity.pid),
            _age(identity.created) if alive else "[red]ended[/]",
            f"{used.get(name, 0) / 2**20:.0f} MiB",
        )
    table.add_section()
    table.add_row("all", "", "", f"{sum(used.values()) / 2**20:.0f} MiB")
    return table


def _age(since: float) -> str:
    seconds = int(time.time() - since)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
