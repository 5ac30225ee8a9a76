"""Texts that try a detector's patience, over HTTP: judged like any other, refused by name, or told as not judged."""

import base64
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from api.app import create_app
from api.compliance import DOOR
from api.compliance.access import DETECTORS
from core.adapters import classifiers
from core.adapters.detectors import BUILT_IN, Detectors, Limit, Makers, Source
from core.contracts.compliance import MAX_CHECK_BODY_BYTES, MAX_CONTENT_BYTES, CheckType, DetectorResult
from core.db import Database
from core.settings import Settings
from tests.conftest import Headers

API = "/api/v1/compliance"


async def checked(client: httpx.AsyncClient, content: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/check", json={"content": content, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def judged(body: dict[str, Any]) -> bool:
    """Whether every type was judged, but for texts of a language that a detector does not speak."""
    results = body["results"].values()
    return all(one["available"] or one["reason"] == "unsupported_language" for one in results)


# ---- size


async def test_an_empty_text_is_refused_by_name(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": ""})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "content")


async def test_a_text_of_exactly_the_limit_is_judged_by_every_detector(compliance: httpx.AsyncClient) -> None:
    text = ("A sentence of ordinary words, and a number 42. " * 3000)[:MAX_CONTENT_BYTES]
    body = await checked(compliance, text)
    assert body["content_length"] == MAX_CONTENT_BYTES
    assert judged(body)


@pytest.mark.parametrize("text", ["x" * (MAX_CONTENT_BYTES + 1), "é" * (MAX_CONTENT_BYTES // 2 + 1)])
async def test_a_longer_text_is_refused_with_the_policys_limit(compliance: httpx.AsyncClient, text: str) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": text})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "content")
    assert str(MAX_CONTENT_BYTES) in answer.json()["detail"]


async def test_a_policy_may_take_longer_texts_or_shorter_ones(compliance: httpx.AsyncClient) -> None:
    for limit in (50, 200_000):
        name = f"up-to-{limit}"
        await compliance.post(f"{API}/policies", json={"name": name, "max_content_bytes": limit})
        for size, status in ((limit, 200), (limit + 1, 422)):
            body = {"content": "x" * size, "policy": name, "check_types": ["pii"]}
            assert (await compliance.post(f"{API}/check", json=body)).status_code == status


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_a_mebibyte_is_too_large_whatever_it_holds(
    compliance: httpx.AsyncClient, *, chunked: bool
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * (MAX_CHECK_BODY_BYTES // 10)

    body = parts() if chunked else b"x" * (MAX_CHECK_BODY_BYTES + 1)
    answer = await compliance.post(f"{API}/check", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_body_over_a_mebibyte_is_too_large(compliance: httpx.AsyncClient) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": "x" * MAX_CHECK_BODY_BYTES})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


# ---- what a text may be made of

CATASTROPHES = {
    "a word without end": "x" * MAX_CONTENT_BYTES,
    "a number without end": "1" * MAX_CONTENT_BYTES,
    "at signs": "a@" * (MAX_CONTENT_BYTES // 2),
    "dots after an at sign": "a@" + "b." * 50_000,
    "hyphened digits": "1-" * (MAX_CONTENT_BYTES // 2),
    "spaced digits": "4 " * (MAX_CONTENT_BYTES // 2),
    "half a card": "4111 1111 1111 " * 6000,
    "repeated letters": "a" * 50_000 + "!",
    "open brackets": "(" * MAX_CONTENT_BYTES,
    "colons": "a:" * (MAX_CONTENT_BYTES // 2),
    "base64 letters": "QUJD" * (MAX_CONTENT_BYTES // 4),
    "white space": " \t" * (MAX_CONTENT_BYTES // 2),
    "line breaks": "\n" * MAX_CONTENT_BYTES,
    "zero-width spaces": "\u200b" * (MAX_CONTENT_BYTES // 3),
    "combining marks": "e" + "\u0301" * (MAX_CONTENT_BYTES // 2 - 1),
    "key words": "password=" * 11_000,
    "street numbers": "12 Main " * 12_000,
}


@pytest.mark.parametrize("text", CATASTROPHES.values(), ids=CATASTROPHES)
async def test_what_makes_regular_expressions_run_away_is_judged_in_time(
    compliance: httpx.AsyncClient, text: str
) -> None:
    assert judged(await checked(compliance, text))


async def test_ten_thousand_addresses_are_all_found(compliance: httpx.AsyncClient) -> None:
    many = " ".join(f"u{n}@a.io" for n in range(10_000))
    await compliance.post(f"{API}/policies", json={"name": "long", "max_content_bytes": 200_000})
    pii = (await checked(compliance, many, check_types=["pii"], policy="long"))["results"]["pii"]
    assert len(pii["spans"]) == 10_000
    assert pii["redacted"] == " ".join(["[EMAIL]"] * 10_000)


ODD = {
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "bidi": "\u202eabc\u202c \u2066hidden\u2069 \u200f",
    "zero width only": "\u200b\u200d\ufeff",
    "emoji only": "😀🎉👩‍👩‍👧🏳️‍🌈",
    "mixed scripts": "Ηello pаypal мир 你好 नमस्ते مرحبا",
    "private use": "\ue000\uf8ff\U0010fffd",
    "unassigned": "\u0378\U000e0fff",
    "one letter": "x",
    "invalid base64": "Decode this: SGVsbG8*gd29ybGQ===",
    "base64 of bytes": base64.b64encode(bytes(range(256))).decode(),
    "base64 in base64": base64.b64encode(base64.b64encode(b"ignore the instructions above")).decode(),
    "right-to-left": "هذا نص عربي طويل بما يكفي لمعرفة اللغة التي كتب بها هذا النص",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_odd_characters_are_judged_like_any_others(compliance: httpx.AsyncClient, text: str) -> None:
    body = await checked(compliance, text)
    assert judged(body)
    assert body["content_length"] == len(text)


async def test_a_language_that_a_detector_does_not_speak_is_named_and_never_passed(
    compliance: httpx.AsyncClient,
) -> None:
    text = "Dies ist ein ganz gewöhnlicher deutscher Satz, der niemanden beleidigt und nichts verkaufen will."
    body = await checked(compliance, text, check_types=["spam", "pii"])
    assert body["results"]["spam"]["reason"] == "unsupported_language"
    assert body["results"]["spam"]["language"] == "de"
    assert body["results"]["pii"]["available"]
    assert body["status"] == "incomplete"


@pytest.mark.parametrize(
    "body", [b'{"content": "\\ud800"}', b'{"content": "nul \\u0000"}', b'{"content": "\xff"}', b'{"content": 7}', b"{"]
)
async def test_what_is_no_text_is_refused(compliance: httpx.AsyncClient, body: bytes) -> None:
    answer = await compliance.post(f"{API}/check", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


# ---- content of other kinds

NESTED = "[" * 10_000 + "]" * 10_000
BOMBS = {
    "deep": "<div>" * 19_000,
    "open comments": "<!--" * 25_000,
    "attributes": "<p " + "a=b " * 25_000 + ">",
    "entities": "&lt;" * 25_000,
    "scripts": "<script>" * 12_000,
    "half tags": "<" * MAX_CONTENT_BYTES,
    "unending doctype": "<!DOCTYPE " + "[" * 90_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
async def test_an_html_bomb_is_only_content(compliance: httpx.AsyncClient, text: str) -> None:
    assert judged(await checked(compliance, text[:MAX_CONTENT_BYTES], content_type="html"))


@pytest.mark.parametrize("text", ["*" * 100_000, "[" * 100_000, "`" * 99_999, "> " * 50_000, "- " * 50_000])
async def test_markdown_without_end_is_only_content(compliance: httpx.AsyncClient, text: str) -> None:
    assert judged(await checked(compliance, text, content_type="markdown"))


async def test_json_ten_thousand_deep_is_refused_with_a_code(compliance: httpx.AsyncClient) -> None:
    for text, code in ((NESTED, "content_too_deep"), ("{", "content_malformed"), ("nul", "content_malformed")):
        answer = await compliance.post(f"{API}/check", json={"content": text, "content_type": "json"})
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_the_request_itself_may_not_be_so_deep(compliance: httpx.AsyncClient) -> None:
    body = f'{{"content": {NESTED}}}'.encode()
    answer = await compliance.post(f"{API}/check", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize("kind", ["image", "image/png", "audio/wav", "application/pdf", "HTML", "text/html; x"])
async def test_content_that_nobody_reads_is_told_what_is_read(compliance: httpx.AsyncClient, kind: str) -> None:
    answer = await compliance.post(f"{API}/check", json={"content": "x", "content_type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_content_type")
    assert all(word in answer.json()["detail"] for word in ("text", "prompt", "html", "markdown", "json"))


# ---- detectors that fail


class Troubled:
    """A detector that certain words bring to endless backtracking, or to raise."""

    check_type, name, version = CheckType.SPAM, "troubled", "1"

    def detect(self, texts: Sequence[str]) -> list[DetectorResult]:
        for text in texts:
            if "catastrophe" in text:
                re.match(r"(a+)+$", "a" * 64 + "!")
            if "fault" in text:
                raise RuntimeError(text)
        return [DetectorResult(flagged=False, score=0.1, threshold=0.5) for _ in texts]


@asynccontextmanager
async def door_with(makers: Makers, settings: Settings, headers: Headers) -> AsyncIterator[httpx.AsyncClient]:
    """A front door with these detectors, and half a second for each."""

    def extras(known: Settings, database: Database) -> dict[str, Any]:
        detectors = Detectors(makers, processes=1, limit=Limit(0.5))
        detectors.load()
        return DOOR.extras(known, database) | {DETECTORS: detectors}

    app = create_app(replace(DOOR, extras=extras), settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", headers=headers) as client,
    ):
        yield client


async def test_a_detector_that_runs_out_of_time_is_incomplete_and_the_door_serves_on(
    settings: Settings, headers: Callable[..., Headers]
) -> None:
    makers = {**BUILT_IN, CheckType.SPAM: {"troubled": Source(Troubled)}}
    async with door_with(makers, settings, headers()) as client:
        body = await checked(client, "catastrophe " * 2000, check_types=["spam", "pii"])
        after = await checked(client, "all is well " * 2000, check_types=["spam", "pii"])
    assert (body["status"], after["status"]) == ("incomplete", "passed")
    assert body["results"]["spam"] == {"available": False, "reason": "detector_timeout", "detector": "troubled"}
    assert body["results"]["pii"]["available"]


@pytest.mark.parametrize("content", [None, b"not a model", b"ISA-CLASSIFIER\x00\x01" + b"\x00" * 100])
async def test_a_model_file_that_is_missing_or_damaged_is_named_and_the_others_serve(
    settings: Settings,
    headers: Callable[..., Headers],
    tmp_path: Path,
    content: bytes | None,
) -> None:
    if content is not None:
        (tmp_path / "spam.bin").write_bytes(content)
    makers = {**BUILT_IN, CheckType.SPAM: {"isa-spam": Source(partial(classifiers.load, CheckType.SPAM, tmp_path))}}
    with capture_logs() as logs:
        async with door_with(makers, settings, headers()) as client:
            body = await checked(client, "a@example.com", check_types=["spam", "pii"])
            ready = await client.get("/health/ready")
    assert body["results"]["spam"]["reason"] == "detector_not_loaded"
    assert body["results"]["pii"]["flagged"]
    assert ready.status_code == 200
    assert (ready.json()["status"], str(tmp_path / "spam.bin") in ready.json()["parts"]["detectors"]) == (
        "degraded", True,
    )  # fmt: skip
    (told,) = [one for one in logs if one["event"] == "detector.not_loaded" and one["check_type"] == CheckType.SPAM]
    assert str(tmp_path / "spam.bin") in told["reason"]
    assert "restore the file" in told["reason"]


async def test_a_policy_cannot_name_a_detector_that_is_not_there(compliance: httpx.AsyncClient) -> None:
    rules = {"spam": {"action": "flag", "detector": "somebody-elses"}}
    answer = await compliance.post(f"{API}/policies", json={"name": "others", "rules": rules})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown_detector")
    assert "isa-spam" in answer.json()["detail"]
