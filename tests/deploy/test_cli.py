"""The command line itself: tokens and nothing else, help that helps, trouble in one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from deploy.check import clean
from deploy.paths import ROOT, State


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "state"


def ops(home: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**clean(os.environ), "OPS_HOME": str(home), **variables}
    return subprocess.run(
        [sys.executable, "-m", "deploy", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip


def claims(home: Path, token: str) -> dict[str, object]:
    secrets = dict(line.split("=", 1) for line in State(home).secrets.read_text().splitlines() if "=" in line)
    decoded: dict[str, object] = jwt.decode(
        token, secrets["OPS_JWT_SECRET"], algorithms=["HS256"], audience="isa-operations", issuer="isa-operations"
    )
    return decoded


def test_token_prints_a_token_and_nothing_else(home: Path) -> None:
    done = ops(home, "token")

    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    told = claims(home, done.stdout.strip())
    assert (told["sub"], told["scope"], told["organization_id"]) == ("user_123", "admin", "default")
    assert "permissions" not in told


def test_token_says_what_it_was_asked_to(home: Path) -> None:
    done = ops(
        home, "token", "--user", "u1", "--scope", "user", "--tenant", "acme",
        "--permission", "audit:read", "--permission", "task:write",
    )  # fmt: skip

    told = claims(home, done.stdout.strip())
    assert (told["sub"], told["scope"], told["organization_id"]) == ("u1", "user", "acme")
    assert told["permissions"] == ["audit:read", "task:write"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--scope", "root"), "There is no scope 'root'"),
        (("--permission", "audit:own"), "Unknown permission: audit:own"),
    ],
)
def test_a_token_that_cannot_be_is_one_sentence(home: Path, arguments: tuple[str, ...], sentence: str) -> None:
    done = ops(home, "token", *arguments)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_where_an_issuer_signs_no_token_is_made(home: Path) -> None:
    done = ops(home, "token", OPS_JWT_ALGORITHM="RS256", OPS_JWKS_URL="https://issuer.example/keys")

    assert done.returncode == 1
    assert "issuer" in done.stderr


def test_help_names_every_command_and_the_readme_too(home: Path) -> None:
    commands = (
        "up", "down", "status", "logs", "reset", "doctor", "migrate", "token", "test", "demo", "bench", "mail",
    )  # fmt: skip
    text, readme = ops(home, "--help").stdout, (ROOT / "README.md").read_text()

    assert all(f"│ {command} " in text for command in commands)
    assert all(f"./ops {command}" in readme for command in commands)


def test_help_makes_no_state(home: Path) -> None:
    ops(home, "--help")

    assert not home.exists()


def test_doctor_says_how_to_start_what_does_not_run(home: Path) -> None:
    done = ops(home, "doctor", OPS_AUDIT_PORT="0", COLUMNS="200")

    assert done.returncode == 1
    assert "not running" in done.stdout
    assert "./ops up" in done.stdout


def test_checks_run_without_what_would_point_them_at_a_real_stack() -> None:
    leaking = {"OPS_JWT_SECRET": "s", "DATABASE_URL": "d", "TEMPORAL_ADDRESS": "t", "TWILIO_FROM": "+1", "HOME": "/h"}

    assert clean(leaking) == {"HOME": "/h"}
