"""The public surface: what is exported, that the twins are alike, and that nothing needs more than it says."""

import inspect
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import isa_user
import isa_user.sync
import isa_user.types
import isa_user.webhooks
import isa_user.worker
import pytest
from isa_user import types

from tests.sdk.conftest import SUMMARY
from tests.sdk.server import Reply, ScriptedServer

SDK = Path(__file__).parents[2] / "sdk"
CLIENTS = ["AuditClient", "ComplianceClient", "EventClient", "NotificationClient", "TaskClient"]
MODULES = [isa_user, isa_user.sync, isa_user.types, isa_user.webhooks, isa_user.worker]


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Python with every warning shown, in a process of its own."""
    return subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=60)


def methods(client: type) -> dict[str, inspect.Signature]:
    named = inspect.getmembers(client, inspect.isfunction)
    return {name: inspect.signature(method) for name, method in named if not name.startswith("_")}


def test_what_is_exported_is_written_down() -> None:
    assert set(isa_user.__all__) == {
        "ApiError", "AuditClient", "AuthenticationError", "BadRequest", "ComplianceClient", "Conflict",
        "ConnectionFailed", "EventClient", "InvalidAnswer", "IsaError", "NotFound", "NotificationClient", "Page",
        "Pages", "PayloadTooLarge", "PermanentTaskError", "PermissionDenied", "RateLimited", "ServerError",
        "ServiceUnavailable", "TaskCancelled", "TaskClient", "TimedOut", "ValidationError",
        "WebhookVerificationError", "__version__",
    }  # fmt: skip
    assert set(isa_user.sync.__all__) == {*CLIENTS, "Page"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_exported_name_exists_and_lists_are_sorted(module: ModuleType) -> None:
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert module.__all__ == sorted(module.__all__, key=lambda name: (not name.isupper(), name))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_public_module_has_a_public_name_it_does_not_export(module: ModuleType) -> None:
    own = {
        name for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__
        and (inspect.isclass(thing) or inspect.isfunction(thing))
    }  # fmt: skip

    assert own <= set(module.__all__)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_sync_client_has_the_calls_of_its_async_twin(name: str) -> None:
    ours, twins = methods(getattr(isa_user, name)), methods(getattr(isa_user.sync, name))
    ours["close"] = ours.pop("aclose")

    assert list(ours) and set(ours) == set(twins)
    for call, signature in ours.items():
        assert _shape(signature) == _shape(twins[call]), call


def _shape(signature: inspect.Signature) -> list[tuple[str, object, object]]:
    return [(one.name, one.kind, one.default) for one in signature.parameters.values()]


@pytest.mark.parametrize("name", CLIENTS)
def test_calls_take_keywords_besides_ids_and_batches(name: str) -> None:
    positional = {
        parameter.name
        for signature in methods(getattr(isa_user, name)).values()
        for parameter in signature.parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name != "self"
    }

    assert {one for one in positional if not one.endswith("_id")} <= {"events", "items", "name"}


@pytest.mark.parametrize(
    ("item", "call"),
    [
        (types.NewAuditEvent, isa_user.AuditClient.log_event),
        (types.NewEvent, isa_user.EventClient.publish),
    ],
)
def test_an_item_of_a_batch_has_the_keys_that_the_single_call_takes(item: type, call: object) -> None:
    single = set(inspect.signature(call).parameters) - {"self", "options"}  # type: ignore[arg-type]  # a function

    assert set(get_type_hints(item)) - {"correlation_id"} == single


def test_everything_public_is_documented() -> None:
    silent = [
        f"{kind}.{call}" for kind in CLIENTS for call in methods(getattr(isa_user, kind))
        if not inspect.getdoc(getattr(getattr(isa_user, kind), call))
    ]  # fmt: skip
    silent += [name for module in MODULES for name in module.__all__ if _is_silent(getattr(module, name))]

    assert not silent


def _is_silent(thing: object) -> bool:
    return (inspect.isclass(thing) or inspect.isfunction(thing)) and not thing.__doc__


def test_the_synchronous_clients_are_generated_from_the_asynchronous_ones() -> None:
    done = subprocess.run(
        [sys.executable, str(SDK / "scripts" / "generate_sync.py"), "--check"], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_is_told_once() -> None:
    project = tomllib.loads((SDK / "pyproject.toml").read_text())["project"]

    assert project["version"] == isa_user.__version__
    assert re.search(rf"^## \[?{re.escape(isa_user.__version__)}\]?", (SDK / "CHANGELOG.md").read_text(), re.M)


def test_it_is_typed() -> None:
    assert (SDK / "isa_user" / "py.typed").exists()


def test_the_clients_need_only_httpx_and_pydantic() -> None:
    code = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("temporalio", "fastapi", "api", "core"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
from isa_user import *
import isa_user, isa_user.sync, isa_user.types, isa_user.webhooks
try:
    isa_user.TaskWorker
except ImportError as error:
    print(error)
"""
    done = run(code)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "TaskWorker needs temporalio: pip install 'isa-user[worker]'\n"


def test_the_worker_is_there_when_it_is_named() -> None:
    from isa_user import TaskWorker

    assert TaskWorker is import_module("isa_user.worker").TaskWorker


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="TaskWroker"):
        isa_user.TaskWroker  # noqa: B018 - only the look-up counts


ASYNC = """
import asyncio, isa_user
async def main():
    client = isa_user.AuditClient({url!r})
    await client.user_summary("u")
    return client
kept = asyncio.run(main())
asyncio.run(main())
asyncio.run(kept.user_summary("u"))
"""
SYNC = """
import isa_user.sync
client = isa_user.sync.AuditClient({url!r})
client.user_summary("u")
isa_user.sync.AuditClient({url!r}).user_summary("u")
"""


@pytest.mark.parametrize("code", [ASYNC, SYNC], ids=["async", "sync"])
def test_a_client_that_nobody_closes_ends_without_a_warning(server: ScriptedServer, code: str) -> None:
    server.answer(Reply(200, SUMMARY))

    done = run(code.format(url=server.url))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
