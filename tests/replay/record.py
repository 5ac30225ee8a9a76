"""`python -m tests.replay.record`: keep one history of each workflow type and outcome found on TEMPORAL_ADDRESS.

Run it against a stack on which the suite's calls, or `./ops demo`, ran. A history already kept is left alone: old
histories are what replay is for.
"""

import asyncio
import json
import re
from pathlib import Path

from core.settings import get_settings
from core.temporal import connect

FOLDER = Path(__file__).parent / "histories"
# a worker's identity and its sticky queue, `<pid>@<host>`: the only words in a history that name a machine
_MACHINE = re.compile(r'"[0-9]+@[^"]*"')


async def main() -> None:
    """Walk all workflows, newest first, and keep what is new: one file for each type and outcome."""
    client = await connect(get_settings())
    FOLDER.mkdir(exist_ok=True)
    async for execution in client.list_workflows():
        if execution.status is None or execution.status.name in ("TERMINATED", "TIMED_OUT"):
            continue
        path = FOLDER / f"{execution.workflow_type}@{execution.status.name.lower()}.json"
        if path.exists():
            continue
        history = await client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
        text = json.dumps(json.loads(history.to_json()), indent=1)
        path.write_text(_MACHINE.sub('"recorded"', text) + "\n")
        print(f"kept {path.name}")


if __name__ == "__main__":
    asyncio.run(main())
