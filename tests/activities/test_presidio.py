"""The detector of personal data, on Presidio's real recognisers."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from types import FrameType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.adapters.presidio import PiiDetector
from core.adapters.presidio.recognisers import around_at_signs
from core.contracts.compliance import CheckType, DetectorResult, PiiEntity
from core.ports import Detector

KIB = 1024
DETECTOR = PiiDetector()


def detect(text: str) -> DetectorResult:
    [result] = DETECTOR.detect([text])
    return result


def redacted(text: str) -> str | None:
    return detect(text).redacted


@pytest.fixture
def deadline() -> Iterator[None]:
    """Ends a search that backtracks without bound: minutes at these lengths, where a linear one takes a second."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("the search did not come to an end")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_it_is_a_detector_of_personal_data() -> None:
    port: Detector = DETECTOR
    assert (port.check_type, port.name) == (CheckType.PII, "presidio")


def test_redaction_has_the_documented_form() -> None:
    result = detect("User email is ann@example.com and phone is 202-555-0143")
    assert result.redacted == "User email is [EMAIL] and phone is [PHONE]"
    assert result.detected == [PiiEntity.EMAIL, PiiEntity.PHONE]
    assert result.flagged is True


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("write to ann.lee+news@mail.example.co.uk.", "write to [EMAIL]."),
        ("email=bob@example.com&x=1", "email=[EMAIL]&x=1"),
        ("see x.com/u?e=bob@example.com", "see x.com/u?e=[EMAIL]"),
        ("{'key': 'bob@example.com'}", "{'key': '[EMAIL]'}"),
        ("write to _bob@example.com_ now", "write to _[EMAIL]_ now"),
        ("o'neil@example.com, _svc@example.com", "[EMAIL], [EMAIL]"),
        ("电话13800138000谢谢", "电话[PHONE]谢谢"),
        ("電話は03-1234-5678です", "電話は[PHONE]です"),
        ("전화010-1234-5678로", "전화[PHONE]로"),
        ("卡号4111111111111111到期", "卡号[CREDIT_CARD]到期"),
        ("邮箱是ann@example.com谢谢", "邮箱是[EMAIL]谢谢"),
        ("my social is 219 09 9999", "my social is [SSN]"),
        ("SSN: 219099999", "SSN: [SSN]"),
        ("pay with 4111 1111 1111 1111 exp 12/27", "pay with [CREDIT_CARD] exp 12/27"),
        ("card 4111 1111 1111 1111 123", "card [CREDIT_CARD] 123"),
        ("Visa 4242-4242-4242-4242-314", "Visa [CREDIT_CARD]-314"),
        ("amex 3782-822463-10005", "amex [CREDIT_CARD]"),
        ("cards 4111111111111111 5555555555554444", "cards [CREDIT_CARD] [CREDIT_CARD]"),
        ("IBAN de89 3704 0044 0532 0130 00", "IBAN [IBAN]"),
        ("from 192.0.2.17 and 2001:db8::8a2e:370:7334", "from [IP_ADDRESS] and [IP_ADDRESS]"),
        ("I live at 742 Evergreen Terrace, Springfield, OR 97477!", "I live at [ADDRESS]!"),
    ],
)
def test_each_kind_is_found_and_replaced(text: str, answer: str) -> None:
    assert redacted(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111111 was shipped",
        "IMEI 490154203237518",
        "card 4111 1111 1111 1112",
        "part 4111-1111-1111-1111-2",
        "Je n'ai pas 150000 euros",
        "The NATO summit, 11/07/2018",
        "card 1234 5678 9012 3456",
        "Order 219-09-9999 is late",
        "the number 219099999",
        "SSN 666-12-3456, SSN 000-12-3456, SSN 912-34-5678, SSN 219-00-9999",
        "IBAN DE88 3704 0044 0532 0130 00",
        "version 1.2.3.4 of std::vector, a::b and 1.2.3.4.5",
        "user@localhost, a@b, someone@example.invalidtld, @handle",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_look_alikes_are_refused(text: str) -> None:
    assert detect(text).spans == []


def test_a_clean_text_is_answered_as_clean() -> None:
    result = detect("Nothing to see here.")
    assert (result.flagged, result.detected, result.score) == (False, [], 0.0)
    assert result.redacted == "Nothing to see here."


def test_every_result_names_its_detector_and_takes_its_time() -> None:
    result = detect("ann@example.com")
    assert (result.available, result.detector, result.detector_version) == (True, "presidio", DETECTOR.version)
    assert result.threshold is not None
    assert result.latency_ms is not None
    assert result.latency_ms >= 0


def test_a_batch_is_answered_in_order() -> None:
    results = DETECTOR.detect(["none", "ann@example.com", "", "202-555-0143"])
    assert [result.detected for result in results] == [[], [PiiEntity.EMAIL], [], [PiiEntity.PHONE]]


def test_no_texts_no_results() -> None:
    assert DETECTOR.detect([]) == []


def test_offsets_count_code_points_beyond_the_basic_plane() -> None:
    text = "\U0001f600\U0001f680 mail ann@example.com \U0001f600 now"
    [span] = detect(text).spans or []
    assert text[span.start : span.end] == "ann@example.com"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("mail a\u200bnn@exam\u00adple.com now", "mail [EMAIL] now"),
        ("call \u202e202-555-0143\u202c now", "call \u202e[PHONE]\u202c now"),
        ("call 202\u2011555\u20110143", "call [PHONE]"),
        ("\uff41\uff4e\uff4e\uff20example.com", "[EMAIL]"),
        ("ann@example.com\x00bob@example.com", "[EMAIL]\x00[EMAIL]"),
        ("\x07ann@example.com\x1b", "\x07[EMAIL]\x1b"),
    ],
)
def test_invisible_characters_neither_hide_a_finding_nor_shift_it(text: str, answer: str) -> None:
    assert redacted(text) == answer


@pytest.mark.parametrize("text", ["", " ", "\x00", "\u200b\u202e", "\U0001f600" * 50, "\ud800", "\ufeff1", "@", "1"])
def test_texts_without_words_are_clean(text: str) -> None:
    assert detect(text).redacted == text


@given(st.text())
@example("İ 12 İstiklal Caddesi 5, 34430 İstanbul")
def test_a_found_text_is_gone_from_the_redacted_one(text: str) -> None:
    result = detect(f"{text} ann@example.com {text}")
    assert "ann@example.com" not in (result.redacted or "")


@given(
    st.lists(st.sampled_from(["ann@example.com", "202-555-0143", "219-09-9999", " ", "call ", "1", "-", "\u200b", "é"]))
)
def test_spans_lie_inside_the_text_and_never_overlap(parts: list[str]) -> None:
    text = "".join(parts)
    spans = detect(text).spans or []
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))


@pytest.mark.parametrize("between", [" ", ",", "\n", ";"])
def test_ten_thousand_addresses_are_all_found(between: str, deadline: None) -> None:
    result = detect(between.join(f"user{i}@example.com" for i in range(10_000)))
    assert result.redacted == between.join(["[EMAIL]"] * 10_000)


@pytest.mark.parametrize(
    "unit",
    [
        *("a", "a-", "a.", "@", "a@a.", "1", "1 ", "1-", ":", "f:", "::1%a", "AA11", "+1(", " ", "\n"),
        *("4111 ", "12 A ", "rue de la ", "apt 1 ", "\u200b", "\x00", "five ", "a at b dot "),
        *(
            "1 1\n",
            "219 09 ",
            "sk-",
            "password:",
            "born 1/1/",
            "a (at) ",
            "800-A",
            "4111\n",
            "AA11 ",
            "1-\n",
            "::1",
            "passport 1",
        ),
    ],
)
def test_a_hundred_kib_of_anything_come_to_an_end(unit: str, deadline: None) -> None:
    text = unit * (100 * KIB // len(unit)) + "1@"
    assert len(detect(text).redacted or "") > 0


@given(st.text(alphabet="a@ .-", max_size=2000))
def test_the_mail_pattern_is_given_little_more_than_the_reach_of_each_at_sign(text: str) -> None:
    windows = around_at_signs(text)
    assert all(a[1] < b[0] for a, b in pairwise(windows))
    assert all("@" in text[start:end] for start, end in windows)
    assert sum(end - start for start, end in windows) <= min(len(text), 512 * text.count("@"))


def test_nothing_reaches_for_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a detector must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert PiiDetector().detect(["ann@example.com"])[0].flagged


def test_spacy_is_neither_loaded_nor_kept_from_others() -> None:
    program = (
        "import sys; from core.adapters.presidio import PiiDetector; PiiDetector();"
        "assert 'spacy' not in sys.modules; assert 'presidio_analyzer' not in sys.modules;"
        "from presidio_analyzer import AnalyzerEngine; print('whole')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("whole", "")


def test_what_was_checked_never_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    detect("ſK12 3704 0044 0532 0130 00 and DEſ9 3704 0044 0532 0130 00")
    assert caplog.text == ""


def test_only_what_is_looked_for_is_found() -> None:
    text = "Write to ann@example.com, SSN 536-22-8726, or visit 12 Main Street, Springfield, IL 62701"
    assert [kind.value for kind in DETECTOR.detect([text])[0].detected or ()] == ["email", "ssn", "address"]
    few = PiiDetector(frozenset({PiiEntity.SSN, PiiEntity.PHONE}))
    assert few.detect([text])[0].detected == [PiiEntity.SSN]
