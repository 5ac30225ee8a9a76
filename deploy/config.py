"""What one stack runs with: the environment, then `.env`, then secrets made on the first start, then local defaults."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from deploy import paths
from deploy.errors import OpsCliError
from deploy.locks import only_one
from deploy.paths import State

SERVICES = ("audit", "notification", "task", "compliance", "event")
GENERATED = ("OPS_JWT_SECRET", "OPS_SECRET_KEY")
DEFAULTS: Mapping[str, str] = {
    "OPS_HOST": "127.0.0.1",
    "OPS_AUDIT_PORT": "8205",
    "OPS_NOTIFICATION_PORT": "8206",
    "OPS_TASK_PORT": "8211",
    "OPS_COMPLIANCE_PORT": "8226",
    "OPS_EVENT_PORT": "8230",
    "OPS_WORKER_METRICS_PORT": "0",
    "OPS_TEMPORAL_PORT": "7233",
    "OPS_TEMPORAL_UI_PORT": "8233",
    # on one's own machine webhooks go to one's own machine
    "OPS_WEBHOOK_ALLOW_PRIVATE": "true",
}


MAILBOX_PORT = "1025"


@dataclass(frozen=True)
class Port:
    """One port and the variable that moves it."""

    purpose: str
    variable: str
    number: int


@dataclass(frozen=True)
class Stack:
    """Everything that `up` and its neighbours need to know. `environment` is what the processes get."""

    state: State
    environment: Mapping[str, str]

    @property
    def host(self) -> str:
        return self.environment["OPS_HOST"]

    @property
    def own_postgres(self) -> bool:
        return "DATABASE_URL" not in self.environment

    @property
    def own_temporal(self) -> bool:
        return "TEMPORAL_ADDRESS" not in self.environment

    @property
    def own_mailbox(self) -> bool:
        return not _sends_mail(self.environment)

    def port(self, variable: str) -> int:
        written = self.environment[variable]
        if not written.isdigit() or not 0 <= int(written) <= 65535:
            raise OpsCliError(f"{variable} is no port number: {written!r}.", "Give a number from 1 to 65535.")
        return int(written)

    def service_port(self, service: str) -> int:
        return self.port(f"OPS_{service.upper()}_PORT")

    def service_url(self, service: str) -> str:
        host = "localhost" if self.host in ("127.0.0.1", "0.0.0.0", "::") else self.host
        return f"http://{host}:{self.service_port(service)}"

    def probe_url(self, service: str) -> str:
        """Where we ask ourselves: no name to look up, and never a proxy's business."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.service_port(service)}"

    @property
    def temporal_address(self) -> str:
        return self.environment.get("TEMPORAL_ADDRESS") or f"127.0.0.1:{self.port('OPS_TEMPORAL_PORT')}"

    @property
    def ui_url(self) -> str:
        return self.environment.get("TEMPORAL_UI_URL") or f"http://localhost:{self.port('OPS_TEMPORAL_UI_PORT')}"

    def ports(self) -> list[Port]:
        """What this stack listens on itself."""
        wanted = [(f"the {service} service", f"OPS_{service.upper()}_PORT") for service in SERVICES]
        if self.own_temporal:
            wanted += [("Temporal", "OPS_TEMPORAL_PORT"), ("Temporal's UI", "OPS_TEMPORAL_UI_PORT")]
        if self.own_mailbox:
            wanted += [("the local mailbox", "OPS_SMTP_PORT")]
        if self.port("OPS_WORKER_METRICS_PORT"):
            wanted += [("the workers' metrics", "OPS_WORKER_METRICS_PORT")]
        return [Port(purpose, variable, self.port(variable)) for purpose, variable in wanted]

    def child_environment(self, database_url: str) -> dict[str, str]:
        """The environment of the front doors and workers once Postgres is there."""
        local = {"DATABASE_URL": database_url, "TEMPORAL_UI_URL": self.ui_url, "PYTHONUNBUFFERED": "1"}
        if self.own_temporal:
            local["TEMPORAL_ADDRESS"] = self.temporal_address
        if self.own_mailbox:
            local |= {
                "OPS_SMTP_HOST": "127.0.0.1",
                "OPS_SMTP_PORT": self.environment["OPS_SMTP_PORT"],
                "OPS_SMTP_STARTTLS": "false",
            }
        return {**self.environment, **local}


def load(environ: Mapping[str, str] | None = None) -> Stack:
    """The stack of this checkout; its secrets are made when they are missing."""
    given = {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    state = State(paths.home())
    written = {**_read(state.secrets), **_read(paths.ROOT / ".env")}
    known = {**DEFAULTS, **written, **given}
    if not _sends_mail(known):
        known.setdefault("OPS_SMTP_PORT", MAILBOX_PORT)
    return Stack(state=state, environment={**known, **_secrets(state.secrets, known)})


def _sends_mail(known: Mapping[str, str]) -> bool:
    return any(known.get(name) for name in ("OPS_SMTP_HOST", "SENDGRID_API_KEY"))


def _secrets(path: Path, known: Mapping[str, str]) -> dict[str, str]:
    missing = [name for name in GENERATED if name not in known and not _not_needed(name, known)]
    if not missing:
        return {}
    with only_one(path):
        kept = _read(path)
        made = {name: kept.get(name) or secrets.token_urlsafe(48) for name in missing}
        _keep(path, {**kept, **made})
    return made


def _not_needed(name: str, known: Mapping[str, str]) -> bool:
    """Tokens that an issuer signs are checked with its keys, not with a secret of ours."""
    return name == "OPS_JWT_SECRET" and bool(known.get("OPS_JWKS_URL"))


def _read(path: Path) -> dict[str, str]:
    return {name: value for name, value in dotenv_values(path).items() if value} if path.exists() else {}


def _keep(path: Path, values: Mapping[str, str]) -> None:
    """Private from the first byte on, and there whole or not at all."""
    text = "# Made on the first start for this machine only. Whoever has these can sign tokens for this stack.\n"
    text += "".join(f"{name}={value}\n" for name, value in values.items())
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
