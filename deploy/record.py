"""What a running stack writes down (run.json): `down`, `status` and the next `up` know its processes by it."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.processes import Identity


@dataclass(frozen=True)
class Running:
    """The supervisor, its processes by name, and whether all of them are ready."""

    supervisor: Identity
    parts: Mapping[str, Identity] = field(default_factory=dict)
    ready: bool = False
    since: float = field(default_factory=time.time)


def write(path: Path, running: Running) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(asdict(running), indent=1))
    draft.replace(path)


def read(path: Path) -> Running | None:
    """None when nothing is written down, or nothing that can be read: then nobody's processes are touched."""
    try:
        raw = json.loads(path.read_text())
        return Running(
            supervisor=Identity(**raw["supervisor"]),
            parts={name: Identity(**identity) for name, identity in raw["parts"].items()},
            ready=bool(raw["ready"]),
            since=float(raw["since"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None
