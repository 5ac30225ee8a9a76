"""What a stack runs with: who wins, and the secrets made for it."""

import re
import stat
from pathlib import Path

import pytest
from pydantic import AliasChoices

from core.settings import SERVICES, Settings
from deploy import config, paths

SECRETS = ("OPS_JWT_SECRET", "OPS_SECRET_KEY")


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """State and .env of this test's own."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.delenv("OPS_HOME", raising=False)
    return tmp_path


def test_secrets_are_made_once_and_private(checkout: Path) -> None:
    first = config.load({})
    second = config.load({})

    kept = checkout / ".ops" / "secrets.env"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [first.environment[name] for name in SECRETS] == [second.environment[name] for name in SECRETS]
    assert len({first.environment[name] for name in SECRETS}) == 2
    assert all(len(first.environment[name]) >= 48 for name in SECRETS)


def test_two_checkouts_have_different_secrets(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = config.load({}).environment["OPS_JWT_SECRET"]
    monkeypatch.setenv("OPS_HOME", str(checkout / "other"))

    assert config.load({}).environment["OPS_JWT_SECRET"] != first


def test_given_secrets_are_used_and_none_is_kept(checkout: Path) -> None:
    given = dict.fromkeys(SECRETS, "given by the person who runs this, long enough")

    stack = config.load(given)

    assert {name: stack.environment[name] for name in SECRETS} == given
    assert not (checkout / ".ops" / "secrets.env").exists()


def test_with_a_key_set_no_token_secret_is_made() -> None:
    assert "OPS_JWT_SECRET" not in config.load({"OPS_JWKS_URL": "https://issuer.example/keys"}).environment


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(checkout: Path) -> None:
    (checkout / ".env").write_text("OPS_AUDIT_PORT=1111\nOPS_TASK_PORT=2222\n")

    stack = config.load({"OPS_TASK_PORT": "3333"})

    ports = [stack.service_port(service) for service in ("audit", "task", "event")]
    assert ports == [1111, 3333, 8230]


def test_local_ports_are_the_ones_the_services_have_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in SERVICES:
        monkeypatch.delenv(f"OPS_{service.upper()}_PORT", raising=False)
    settings = Settings.model_validate({"secret_key": "x" * 32})

    assert {s: config.load({}).service_port(s) for s in config.SERVICES} == {s: settings.port(s) for s in SERVICES}


def test_processes_get_the_local_servers_addresses() -> None:
    environment = config.load({}).child_environment("postgresql://postgres@/postgres?host=/somewhere")

    assert environment["DATABASE_URL"].endswith("host=/somewhere")
    assert environment["TEMPORAL_ADDRESS"] == "127.0.0.1:7233"
    assert environment["TEMPORAL_UI_URL"] == "http://localhost:8233"
    assert (environment["OPS_SMTP_HOST"], environment["OPS_SMTP_PORT"]) == ("127.0.0.1", "1025")


def test_given_servers_are_used_instead_of_local_ones() -> None:
    given = {
        "DATABASE_URL": "postgresql://db.example/ops",
        "TEMPORAL_ADDRESS": "temporal.example:7233",
        "TEMPORAL_UI_URL": "https://temporal.example",
        "OPS_SMTP_HOST": "mail.example",
    }

    stack = config.load(given)

    assert not (stack.own_postgres or stack.own_temporal or stack.own_mailbox)
    environment = stack.child_environment(given["DATABASE_URL"])
    assert given.items() <= environment.items()
    assert "OPS_SMTP_PORT" not in environment


def test_with_sendgrid_no_mailbox_is_run() -> None:
    assert not config.load({"SENDGRID_API_KEY": "SG.key"}).own_mailbox


def test_the_example_file_names_only_variables_that_something_reads() -> None:
    example = Path(__file__).parent.parent.parent / ".env.example"
    named = {line.lstrip("# ").partition("=")[0] for line in example.read_text().splitlines() if "=" in line}

    compose = set(re.findall(r"\$\{(\w+)", (example.parent / "docker-compose.yml").read_text()))
    assert named <= _read_by_settings() | set(config.DEFAULTS) | compose
    assert named >= {f"OPS_{service.upper()}_PORT" for service in SERVICES} | set(SECRETS)


def _read_by_settings() -> set[str]:
    names = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names |= (
            {str(choice) for choice in alias.choices} if isinstance(alias, AliasChoices) else {f"OPS_{name.upper()}"}
        )
    return names
