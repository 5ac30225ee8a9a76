"""Who may import whom: the rule of docs/architecture.md, read from the code's own import statements."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("api", "workflows", "activities", "workers", "core", "deploy", "bench", "training", "isa_user")
ROOMS = ("api", "workflows", "activities", "workers", "core", "training", "sdk/isa_user")

# Importer → what of ours it may import. The longest matching importer decides.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "isa_user": ("isa_user",),
    "core.contracts": ("core.contracts",),
    "core.domain": ("core.contracts", "core.domain"),
    "core.tables": ("core.contracts", "core.tables"),
    "core.store": ("core.tables", "core.contracts", "core.errors", "core.store", "core.ids"),
    "core.ports": ("core.contracts", "core.domain"),
    "core.adapters": ("core",),
    "core": ("core",),
    "activities": (
        "core.contracts", "core.domain", "core.store", "core.ports", "core.errors", "core.ids", "core.tables",
        "activities",
    ),
    "workflows": ("core.contracts", "core.domain", "activities", "workflows"),
    "workers": ("core", "workflows", "activities", "workers"),
    "api": ("core", "workflows", "api"),
    "training": ("core.adapters.classifiers", "core.contracts", "core.domain", "training"),
}  # fmt: skip
# core names no adapter from outside its edge; a front door gets adapters in its lifespan only.
NEVER: dict[str, tuple[str, ...]] = {
    "activities": ("core.settings", "core.db", "core.adapters", "core.temporal"),
    "workflows": ("core.settings", "core.db", "core.store", "core.tables", "core.adapters"),
    "api": ("activities", "workers"),
}
# core.adapters may be imported by api modules only where a lifespan builds a port.
API_ADAPTERS_IN = ("api.compliance",)
VENDORS = (
    "temporalio", "fastapi", "sqlalchemy", "sqlmodel", "psycopg", "httpx", "sendgrid", "twilio", "firebase_admin",
)  # fmt: skip
FOREIGN: dict[str, tuple[str, ...]] = {
    "core.contracts": VENDORS,
    "core.domain": (*VENDORS, "pydantic_settings", "structlog"),
    "workflows": ("fastapi", "sqlalchemy", "sqlmodel", "psycopg", "httpx", "structlog"),
    "activities": ("fastapi", "httpx", "sendgrid", "twilio", "firebase_admin", "aiosmtplib", "presidio_analyzer"),
    "isa_user": ("fastapi", "sqlalchemy", "sqlmodel", "psycopg"),
}


def _modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            relative = path.relative_to(ROOT / "sdk" if room.startswith("sdk") else ROOT).with_suffix("")
            yield ".".join(part for part in relative.parts if part != "__init__"), path


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def _room(module: str) -> str:
    return max((name for name in MAY_IMPORT if _within(module, (name,))), key=len)


MODULES = list(_modules())


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_a_module_imports_only_what_its_room_may(module: str, path: Path) -> None:
    room = _room(module)
    allowed = MAY_IMPORT[room]
    never = NEVER.get(room.partition(".")[0], ())
    if room == "api" and not _within(module, API_ADAPTERS_IN):
        never = (*never, "core.adapters")
    wrong = []
    for name, line in _imports(path):
        if not _within(name, OURS):
            if _within(name, FOREIGN.get(room, ())):
                wrong.append(f"line {line}: {name}")
            continue
        top_package = name in ("core", "activities", "workflows")  # `from core import x` is judged by its members
        if not top_package and (not _within(name, allowed) or _within(name, never)):
            wrong.append(f"line {line}: {name}")
    assert not wrong, f"{module} may not import " + "; ".join(wrong)


def test_stores_never_commit() -> None:
    commits = [
        f"{path}:{node.lineno}"
        for module, path in MODULES
        if _within(module, ("core.store",))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback")
    ]
    assert not commits
