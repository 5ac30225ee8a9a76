"""The documentation is true: links lead somewhere, routes and settings it names exist, and none is left out."""

import re
from pathlib import Path

import pytest
import typer.main

from api.__main__ import door
from api.app import create_app
from core.settings import SERVICES, ServiceName, Settings
from deploy.cli import app as cli

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "sdk" / "README.md"])
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#]+)(?:#[^)]*)?\)")
ROUTE = re.compile(r"`(?:(GET|POST|PUT|PATCH|DELETE) )?(/api/v1/[^`\s?]*)`?")


def _routes(name: ServiceName) -> set[str]:
    unused = Settings.model_validate({"secret_key": "not used, only the document is read"})
    return {_shape(path) for path in create_app(door(name), unused).openapi()["paths"]}


def _shape(path: str) -> str:
    """A route with its parameters made alike, whatever a page calls them."""
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    broken = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert not broken


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_page_names_every_route_and_no_other(name: ServiceName) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text()
    named = {_shape(path) for _, path in ROUTE.findall(text)}
    real = {path for path in _routes(name) if path.startswith("/api/")}
    everywhere = set().union(*(_routes(other) for other in SERVICES))
    assert real <= named, f"not told of: {sorted(real - named)}"
    assert named <= everywhere, f"tells of what does not exist: {sorted(named - everywhere)}"


def test_every_setting_is_in_the_example_environment() -> None:
    text = (ROOT / ".env.example").read_text()
    names = []
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        names.append(
            str(alias.choices[0]) if alias is not None and hasattr(alias, "choices") else f"OPS_{field.upper()}"
        )
    missing = [name for name in names if not re.search(rf"^#? ?{name}=", text, re.M)]
    assert not missing


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = typer.main.get_command(cli).commands  # type: ignore[attr-defined]  # a group has commands
    missing = [name for name in commands if f"./ops {name}" not in readme]
    assert not missing


def test_the_two_commands_come_first() -> None:
    readme = (ROOT / "README.md").read_text()
    assert 0 < readme.index("./ops up") < readme.index("./ops test") < 1500


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(p.name[:4]) for p in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
