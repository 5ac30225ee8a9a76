"""A newcomer's first hour: every example call, and the SDK sample as it is printed."""

import asyncio
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest

from core.settings import ServiceName
from tests.e2e.conftest import ROOT, Stack, until
from tests.e2e.page import CALLS, NOTIFY, Call


def test_there_are_twenty_nine_calls() -> None:
    assert len(CALLS) == 29


@pytest.fixture(scope="module")
def ids(stack: Stack) -> dict[str, str]:
    """Ids that earlier calls make for later ones."""
    with stack.client("notification") as client:
        promotion = {"name": "promotion_notice", "type": "in_app", "subject": "Sale", "body": "{{discount}} off"}
        client.post(f"{NOTIFY}/templates", json=promotion | {"variables": ["discount"]}).raise_for_status()
    return {}


@pytest.mark.parametrize("call", CALLS, ids=[call.title for call in CALLS])
def test_a_call_of_the_page_answers_with_its_fields(stack: Stack, ids: dict[str, str], call: Call) -> None:
    with stack.client(call.service) as client:
        if "{notification_id}" in call.path:
            ids["notification_id"] = _first_in_app(client)
        path = call.path.format(**ids)
        answer = client.request(call.method, path, json=call.body)
    assert answer.is_success, answer.text
    body = answer.json()
    assert set(call.fields) <= set(body), f"lacks {set(call.fields) - set(body)}"
    if "task_id" in body:
        ids["task_id"] = body["task_id"]


def _first_in_app(client: httpx.Client) -> str:
    found = until(lambda: client.get(f"{NOTIFY}/in-app/user_123").json()["items"], "the in-app notification arrives")
    notification_id: str = found[0]["notification_id"]
    return notification_id


def _sample() -> str:
    """The sample of the SDK's own README."""
    readme = (ROOT / "sdk" / "README.md").read_text()
    found = re.search(r"```python\n(from isa_user import \(.*?)```", readme, re.S)
    assert found, "sdk/README.md lost its sample of the five clients"
    return found.group(1)


def test_the_sdk_sample_runs_as_printed(stack: Stack, tmp_path: Path) -> None:
    sample = _sample()
    for service, port in stack.ports.items():
        defaults: dict[ServiceName, int] = {
            "audit": 8205, "notification": 8206, "task": 8211, "compliance": 8226, "event": 8230,
        }  # fmt: skip
        sample = sample.replace(f"http://localhost:{defaults[service]}", f"http://127.0.0.1:{port}")
    script = tmp_path / "sample.py"
    script.write_text(
        f"import asyncio\naccess_token = {stack.token()!r}\n"
        f"async def main():\n{textwrap.indent(sample, '    ')}\n    print(task.task_id, result.status)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("task_")
    assert not done.stderr


def test_front_doors_answer_while_many_ask_at_once(stack: Stack) -> None:
    async def ask() -> list[int]:
        headers = {"Authorization": f"Bearer {stack.token()}"}
        async with httpx.AsyncClient(base_url=stack.url("event"), headers=headers, timeout=30) as client:
            sent = [client.post("/api/v1/events", json={"event_type": "load.test"}) for _ in range(200)]
            return [answer.status_code for answer in await asyncio.gather(*sent)]

    assert set(asyncio.run(ask())) == {201}
