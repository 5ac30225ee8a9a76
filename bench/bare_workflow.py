"""`python -m bench.bare_workflow ADDRESS`: a worker with one workflow of one activity and nothing else."""

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

QUEUE = "bench-floor"


@activity.defn(name="bench.nothing")
async def nothing(value: str) -> str:
    """The one activity."""
    return value


@workflow.defn(name="bench.bare")
class BareWorkflow:
    """One activity and nothing else."""

    @workflow.run
    async def run(self, value: str) -> str:
        return await workflow.execute_activity(nothing, value, start_to_close_timeout=timedelta(seconds=30))


async def _work(address: str) -> None:
    client = await Client.connect(address)
    async with Worker(client, task_queue=QUEUE, workflows=[BareWorkflow], activities=[nothing]):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
