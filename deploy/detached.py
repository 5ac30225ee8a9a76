"""`python -m deploy.detached`: the supervisor behind one's back. It tells its way on stdout, a JSON object a line."""

import json
import os
import sys

from deploy import config
from deploy.errors import OpsCliError
from deploy.local.temporal import ensure_binary
from deploy.supervisor import Supervisor
from deploy.up import log_to_file


def _tell(**said: str) -> None:
    print(json.dumps(said), flush=True)


def _on_ready() -> None:
    _tell(ready="yes")
    # nobody listens any more: what is said from now on stands in the log
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main() -> int:
    stack = config.load()
    log_to_file(stack)

    def report(message: str) -> None:
        _tell(progress=message)

    try:
        temporal = ensure_binary(report) if stack.own_temporal else None
        Supervisor(stack, temporal=temporal, report=report).run(_on_ready)
    except OpsCliError as error:
        _tell(error=error.message, way_out=error.way_out)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
