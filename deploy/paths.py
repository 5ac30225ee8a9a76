"""Where things lie: the checkout, its state (OPS_HOME) and the user's cache."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def home() -> Path:
    """Per checkout, so that two of them do not meet."""
    chosen = os.environ.get("OPS_HOME")
    return Path(chosen).expanduser().absolute() if chosen else ROOT / ".ops"


def cache() -> Path:
    """Per user: what is large, the same for every checkout and can be fetched again."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).expanduser() if base else Path.home() / ".cache") / "isa-operations"


@dataclass(frozen=True)
class State:
    """Everything one stack keeps on disk."""

    home: Path

    @property
    def secrets(self) -> Path:
        return self.home / "secrets.env"

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    @property
    def schema(self) -> Path:
        """Which migrations ran; inside the data, so that it goes when they go."""
        return self.postgres / "ops-schema"

    @property
    def temporal(self) -> Path:
        return self.home / "temporal" / "temporal.db"

    @property
    def mail(self) -> Path:
        return self.home / "mail"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def run(self) -> Path:
        return self.home / "run.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.home / "up.lock"

    def log(self, name: str) -> Path:
        return self.postgres / "log" if name == "postgres" else self.logs / f"{name}.log"
