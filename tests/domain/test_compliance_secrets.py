"""Credentials, dates of birth and passports in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.compliance import documents, secrets

KIB = 1024
RANDOM = "7f3kD92mQpX81LsBvT4wZcRy60HnJgEa"


def found(text: str) -> list[str]:
    return sorted({text[span.start : span.end] for span in secrets.find(text)})


def dated(text: str) -> list[str]:
    return sorted(text[span.start : span.end] for span in documents.find(text))


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1" * 18,
        "github_pat_" + "a1" * 20,
        "glpat-" + "a1" * 10,
        "xoxb-1234567890-abcdefghij",
        "sk_" + "live_" + "a1" * 12,
        "whsec_" + "a1" * 16,
        "AIza" + "a1" * 17 + "b",
        "sk-proj-" + "a1" * 20,
        "sk-" + "a1" * 24,
        "SG." + "a1" * 11 + "." + "b2" * 21 + "c",
        "npm_" + "a1" * 18,
        "hf_" + "aB" * 17,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "123456789:AA" + "b3" * 16 + "c",
    ],
)
def test_tokens_in_their_issuers_form_are_found_anywhere(secret: str) -> None:
    assert found(f"see {secret}, please") == [secret]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f'"api_key": "{RANDOM}"', RANDOM),
        (f"ACCESS-KEY={RANDOM}", RANDOM),
        (f"client_secret => '{RANDOM}'", RANDOM),
        (f"Authorization: Bearer {RANDOM}", RANDOM),
        ("password: hunter2!", "hunter2!"),
        ("DB_PASSWORD=s3cr3tpass", "s3cr3tpass"),
        ("DB_PASS=hunter2hunter2", "hunter2hunter2"),
        ("pass: letmein1", "letmein1"),
        ("Passwort: geheim123", "geheim123"),
        ("contraseña: clave2024", "clave2024"),
        ("the password is Tr0ub4dor&3 for now", "Tr0ub4dor&3"),
        ("mysql://root:s3cr3t@db.example.com:3306/app", "root:s3cr3t@db.example.com"),
        ("redis://:s3cr3t@cache", ":s3cr3t@cache"),
    ],
)
def test_others_are_told_by_their_names(text: str, secret: str) -> None:
    assert found(text) == [secret]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the password is required",
        "password: ********",
        "password = os.environ['DB_PASSWORD']",
        "token: <your-token-here>",
        "api_key=${API_KEY}",
        "secret: the butler did it",
        "compass: 12345north and bypass=80percent",
        "a key: value pair",
        "commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "https://user@example.com/path",
        "https://example.com:8080/a@b",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "Basic understanding of tokens",
        "sk-learn and task-oriented",
    ],
)
def test_what_only_looks_so_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_private_key_is_found_whole_and_so_is_one_cut_off() -> None:
    begin, end = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"
    assert found(f"x {begin}\nabc\n{end} y") == [f"{begin}\nabc\n{end}"]
    assert found(f"x {begin}\nabc") == [f"{begin}\nabc"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("DOB 12/31/1980", "12/31/1980"),
        ("born on the 31st of December 1980", "31st of December 1980"),
        ("Date of birth:\n1980-12-31", "1980-12-31"),
        ("31.12.1980 (DOB)", "31.12.1980"),
        ("fecha de nacimiento: 31 de diciembre de 1980", "31 de diciembre de 1980"),
        ("passport no. 963545637", "963545637"),
        ("Reisepass-Nr. C01X00T47", "C01X00T47"),
        ("L898902C36UTO7408122F1204159ZE184226B<<<<<10", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"),
    ],
)
def test_births_and_passports_are_told_by_the_words_before_them(text: str, value: str) -> None:
    assert dated(text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "on 12/31/1980",
        "born in 1980",
        "born 99/99/1980",
        "DOB 31/31/1980",
        "date of birth 1780-01-01",
        "passport office 1234567",
        "passport photo",
        "order AB1234567",
        "L898902C37UTO7408122F1204159ZE184226B<<<<<10",
    ],
)
def test_other_dates_and_numbers_are_not(text: str) -> None:
    assert dated(text) == []


@given(st.text())
def test_no_text_breaks_them(text: str) -> None:
    for span in [*secrets.find(text), *documents.find(text)]:
        assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize(
    "unit",
    [
        *("password", "password ", "password:", "token=a", "key_", "://a:", "eyJ", "eyJa.", "sk-", "sk-a-", "a://a:b"),
        *(
            "-----BEGIN PRIVATE KEY-----",
            "born ",
            "born 1",
            "1/1/19",
            "passport ",
            "passport no ",
            "P<",
            "<",
            "Bearer ",
        ),
        *("passport number is A", "dob 12/", "password is "),
    ],
)
def test_a_hundred_kib_of_anything_come_to_an_end(unit: str) -> None:
    text = unit * (100 * KIB // len(unit)) + " secret token password born passport 1"
    secrets.find(text)
    documents.find(text)
