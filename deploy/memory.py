"""What a running stack weighs: proportional set size, so that memory shared by forked processes counts once."""

from collections.abc import Iterable

import psutil

from deploy.processes import Identity, same
from deploy.record import Running


def by_part(running: Running) -> dict[str, int]:
    """Bytes by part, each with everything it started. The supervisor counts without its parts."""
    parts = {name: _whole(identity) for name, identity in running.parts.items() if same(identity)}
    supervisor = _pss([psutil.Process(running.supervisor.pid)]) if same(running.supervisor) else 0
    return {"supervisor": supervisor, **parts}


def _whole(identity: Identity) -> int:
    process = psutil.Process(identity.pid)
    return _pss([process, *process.children(recursive=True)])


def _pss(processes: Iterable[psutil.Process]) -> int:
    total = 0
    for process in processes:
        try:
            info = process.memory_full_info()
        except psutil.NoSuchProcess:
            continue  # ended while we looked
        # macOS knows no PSS; what is the process's own alone comes nearest
        total += getattr(info, "pss", info.uss)
    return total
