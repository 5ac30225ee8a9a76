"""Every example of the README runs, against the platform itself."""

import asyncio
import json
import re
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import isa_user._async._io
import isa_user._sync._io
import pytest
from isa_user import TaskClient, TaskWorker, webhooks

from tests.conftest import Doors, Headers, StartWorkers
from tests.sdk.bridge import Bridge

README = (Path(__file__).parents[2] / "sdk" / "README.md").read_text()
EXAMPLES = dict(re.findall(r"^## (.*?)\n(?:(?!^## ).)*?```python\n(.*?)```", README, re.M | re.S))


@pytest.fixture
async def token(
    doors: Doors, headers: Callable[..., Headers], workers: StartWorkers, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """A token; and the addresses of the README lead to the suite's own apps."""
    bridge = Bridge(doors.app)
    ours = {"HttpClient": lambda **_: httpx.AsyncClient(transport=bridge.asynchronous())}
    monkeypatch.setattr(isa_user._async._io, "HttpClient", ours["HttpClient"])
    monkeypatch.setattr(isa_user._sync._io, "HttpClient", lambda **_: httpx.Client(transport=bridge.synchronous()))
    await workers("audit", "task", "notification", "event", "compliance", "platform")
    yield headers()["Authorization"].removeprefix("Bearer ")


async def run(title: str, **names: Any) -> dict[str, Any]:
    """Run an example as the body of a coroutine; its variables come back."""
    body = textwrap.indent(EXAMPLES[title], "    ")
    scope: dict[str, Any] = dict(names)
    exec(f"async def example():\n{body}\n    return locals()", scope)
    found: dict[str, Any] = await scope["example"]()
    return found


def test_no_example_is_left_out() -> None:
    assert len(re.findall("```python", README)) == len(EXAMPLES) == 8


async def test_the_sample_of_the_five_clients(token: str) -> None:
    found = await run("Five clients", access_token=token)

    assert found["task"].task_id.startswith("task_")
    assert found["result"].check_id.startswith("chk_")


async def test_what_every_call_takes(token: str) -> None:
    assert (await run("What every call takes", access_token=token))["event"].correlation_id == "corr_order_17"


async def test_lists(token: str) -> None:
    assert (await run("Lists", access_token=token))["rest"] is None


async def test_work_that_takes_a_while(token: str) -> None:
    assert (await run("Work that takes a while", access_token=token))["report"].status == "completed"


async def test_errors(token: str, capsys: pytest.CaptureFixture[str]) -> None:
    await run("Errors", access_token=token)

    assert capsys.readouterr().out == "no such task\n"


async def test_without_async(token: str) -> None:
    scope: dict[str, Any] = {"access_token": token}

    await asyncio.to_thread(exec, EXAMPLES["Without async"], scope)

    assert scope["check"].results["pii"].redacted == "Write to [EMAIL]"


async def test_receiving_webhooks(token: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = await run("Receiving webhooks", access_token=token)
    body = json.dumps({"type": "user.signup", "data": {"plan": "free"}})
    signed = webhooks.sign(body, secret=found["secret"], message_id="dlv_1", timestamp=int(time.time()))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(found["app"]), base_url="http://own") as sender:
        taken = await sender.post("/events", content=body, headers=signed)
        refused = await sender.post("/events", content=body + " ", headers=signed)

    assert (taken.status_code, refused.status_code) == (204, 400)
    assert "dlv_1 user.signup {'plan': 'free'}" in capsys.readouterr().out


async def test_serving_tasks_of_your_own(
    token: str, tenant: str, temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISA_TOKEN", token)
    example = EXAMPLES["Serving tasks of your own"]
    example = example.replace("localhost:7233", temporal_address).replace('tenant="default"', f'tenant="{tenant}"')
    scope: dict[str, Any] = {}
    process = asyncio.create_task(asyncio.to_thread(exec, example, scope))

    async with TaskClient("http://localhost:8211", token=token) as tasks:
        one = await tasks.create(name="one", type="transcoding", payload={"file_id": "file_1"})
        two = await tasks.create(name="two", type="thumbnail", payload={"pages": 3})
        ended = [await tasks.wait_for_task(task.task_id, within=60) for task in (one, two)]
    worker: TaskWorker = scope["worker"]
    worker.stop()
    await process

    assert [task.result for task in ended] == [{"output": "file_1.mp4"}, {"pages": 3}]
