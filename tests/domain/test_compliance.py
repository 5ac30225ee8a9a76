"""Findings in a text, and how results make one status and one risk."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.compliance import Action, CheckStatus, CheckType, DetectorResult, PiiEntity, RiskLevel, Span
from core.domain.compliance import (
    context,
    fold,
    kinds,
    overall_status,
    redact,
    resolve_overlaps,
    risk_level,
    unavailable,
)
from core.domain.compliance.spans import apart

FLAGGED, CLEAN = DetectorResult(flagged=True), DetectorResult(flagged=False)


def span(entity: PiiEntity, start: int, end: int, score: float = 0.5) -> Span:
    return Span(entity=entity, start=start, end=end, score=score)


@st.composite
def text_with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(st.text(min_size=1, max_size=60))
    edges = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text)))
    places = draw(st.lists(edges.filter(lambda pair: pair[0] < pair[1]), max_size=8))
    entity, score = st.sampled_from(list(PiiEntity)), st.floats(0, 1)
    return text, [span(draw(entity), start, end, draw(score)) for start, end in places]


@given(text_with_spans())
def test_resolved_spans_never_overlap_and_are_in_order(given_text: tuple[str, list[Span]]) -> None:
    text, spans = given_text
    resolved = resolve_overlaps(text, spans)
    assert all(a.end <= b.start for a, b in pairwise(resolved))


@given(text_with_spans())
def test_resolving_twice_changes_nothing(given_text: tuple[str, list[Span]]) -> None:
    text, spans = given_text
    resolved = resolve_overlaps(text, spans)
    assert resolve_overlaps(text, resolved) == resolved


@given(text_with_spans())
def test_findings_told_apart_never_overlap_and_cover_what_they_covered(given_text: tuple[str, list[Span]]) -> None:
    _, spans = given_text
    told = apart(spans)
    assert all(a.end <= b.start for a, b in pairwise(told))
    covered = [{index for s in some for index in range(s.start, s.end)} for some in (spans, told)]
    assert covered[0] == covered[1]


@given(text_with_spans())
def test_what_does_not_overlap_is_told_as_it_is(given_text: tuple[str, list[Span]]) -> None:
    resolved = resolve_overlaps(*given_text)
    assert apart(resolved) == resolved


@given(text_with_spans())
def test_redaction_keeps_all_that_was_not_found_and_nothing_that_was(given_text: tuple[str, list[Span]]) -> None:
    text, spans = given_text
    resolved = resolve_overlaps(text, spans)
    found = {index for s in resolved for index in range(s.start, s.end)}
    redacted = redact(text, resolved)
    for s in reversed(resolved):
        shift = sum(len(f"[{p.entity.upper()}]") - (p.end - p.start) for p in resolved if p.end <= s.start)
        at = s.start + shift
        mark = f"[{s.entity.upper()}]"
        assert redacted[at : at + len(mark)] == mark
        redacted = redacted[:at] + redacted[at + len(mark) :]
    assert redacted == "".join(char for index, char in enumerate(text) if index not in found)


@given(st.text())
def test_a_text_without_findings_is_redacted_to_itself(text: str) -> None:
    assert redact(text, []) == text


@given(text_with_spans())
def test_whatever_was_found_stays_covered_where_addresses_overlap(given_text: tuple[str, list[Span]]) -> None:
    text, spans = given_text
    addresses = [s.model_copy(update={"entity": PiiEntity.ADDRESS}) for s in spans]
    covered = {i for s in resolve_overlaps(text, addresses) for i in range(s.start, s.end)}
    assert all(i in covered for s in addresses for i in range(s.start, s.end) if text[i].isalnum())


def test_the_higher_score_wins_over_the_longer_span() -> None:
    sure, long = span(PiiEntity.SSN, 4, 8, 0.9), span(PiiEntity.PHONE, 0, 9, 0.6)
    assert resolve_overlaps("123456789", [long, sure]) == [sure]


def test_the_longer_span_wins_at_the_same_score() -> None:
    short, long = span(PiiEntity.SSN, 0, 4), span(PiiEntity.PHONE, 0, 9)
    assert resolve_overlaps("123456789", [short, long]) == [long]


def test_spans_that_only_touch_both_stay() -> None:
    touching = [span(PiiEntity.EMAIL, 0, 4), span(PiiEntity.PHONE, 4, 9)]
    assert resolve_overlaps("aaaa55555", touching) == touching


def test_an_address_keeps_what_a_number_inside_it_leaves() -> None:
    text = "12 Main Street 555-0101, Springfield"
    address, phone = span(PiiEntity.ADDRESS, 0, len(text), 0.5), span(PiiEntity.PHONE, 15, 23, 0.9)
    assert redact(text, resolve_overlaps(text, [address, phone])) == "[ADDRESS] [PHONE], [ADDRESS]"


@pytest.mark.parametrize("entity", PiiEntity)
def test_a_finding_is_replaced_by_its_kind_in_capitals(entity: PiiEntity) -> None:
    assert redact("a secret here", [span(entity, 2, 8)]) == f"a [{entity.value.upper()}] here"


def test_kinds_are_told_once_in_the_order_of_first_appearance() -> None:
    spans = [span(PiiEntity.PHONE, 0, 1), span(PiiEntity.EMAIL, 2, 3), span(PiiEntity.PHONE, 4, 5)]
    assert kinds(spans) == [PiiEntity.PHONE, PiiEntity.EMAIL]


@given(st.text())
def test_folding_leads_every_stretch_back_to_where_it_stood(text: str) -> None:
    folded = fold(text)
    places = [folded.original(i, i + 1) for i in range(len(folded.text))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(a[1] <= b[0] or a == b for a, b in pairwise(places))  # a space put in lies where its neighbour does


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_read_as_it_is(text: str) -> None:
    assert fold(text).text == text


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("5\u200b5\u200d5", "555"),
        ("\u202e555\u202c", "555"),
        ("555\u20110199", "555-0199"),
        ("\u0665\u0665\u0665", "555"),
        ("\uff15\uff15\uff15\uff20", "555@"),
        ("a\x00b", "a b"),
        ("555\u00a00199", "555 0199"),
        ("\u7535\u8bdd555\u8c22", "\u7535\u8bdd 555 \u8c22"),
    ],
)
def test_folding_sees_through_a_disguise(disguised: str, plain: str) -> None:
    assert fold(disguised).text == plain


def test_the_nearest_telling_word_decides() -> None:
    phone, order = context.words("call phone"), context.words("order")
    assert context.speaks_for("call us about order 5550199", 20, phone, order) is False
    assert context.speaks_for("about your order, call 5550199", 23, phone, order) is True
    assert context.speaks_for("5550199", 0, phone, order) is None


def test_words_beyond_a_blank_line_do_not_count() -> None:
    assert context.words_before("order\n\nsee 5550199", 11) == ["see"]


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([CLEAN, CLEAN], CheckStatus.PASSED),
        ([CLEAN, FLAGGED], CheckStatus.FLAGGED),
        ([CLEAN, unavailable()], CheckStatus.INCOMPLETE),
        ([FLAGGED, unavailable()], CheckStatus.FLAGGED),
        ([unavailable(), unavailable("timeout")], CheckStatus.INCOMPLETE),
        ([], CheckStatus.PASSED),
    ],
)
def test_status_without_a_policy(results: list[DetectorResult], status: CheckStatus) -> None:
    assert overall_status(dict(zip(CheckType, results, strict=False))) is status


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (Action.ALLOW, CheckStatus.PASSED),
        (Action.FLAG, CheckStatus.FLAGGED),
        (Action.REDACT, CheckStatus.FLAGGED),
        (Action.REVIEW, CheckStatus.REVIEW),
        (Action.BLOCK, CheckStatus.BLOCKED),
    ],
)
def test_a_finding_takes_the_status_of_its_policy_action(action: Action, status: CheckStatus) -> None:
    assert overall_status({CheckType.PII: FLAGGED}, {CheckType.PII: action}) is status


def test_the_strictest_action_decides_among_findings() -> None:
    results = {CheckType.PII: FLAGGED, CheckType.SPAM: FLAGGED, CheckType.NSFW: FLAGGED}
    actions = {CheckType.PII: Action.FLAG, CheckType.SPAM: Action.BLOCK, CheckType.NSFW: Action.REVIEW}
    assert overall_status(results, actions) is CheckStatus.BLOCKED


@given(st.dictionaries(st.sampled_from(list(CheckType)), st.sampled_from([FLAGGED, CLEAN, unavailable()])))
def test_a_check_with_an_unavailable_detector_never_passes(results: dict[CheckType, DetectorResult]) -> None:
    allow_all = dict.fromkeys(CheckType, Action.ALLOW)
    complete = all(result.available for result in results.values())
    assert (overall_status(results, allow_all) is CheckStatus.PASSED) is complete


def test_an_unavailable_result_says_nothing_else() -> None:
    assert unavailable().model_dump(exclude_none=True) == {"available": False}


@pytest.mark.parametrize(
    ("found", "risk"),
    [
        ([], RiskLevel.NONE),
        ([PiiEntity.IP_ADDRESS], RiskLevel.LOW),
        ([PiiEntity.EMAIL, PiiEntity.PHONE], RiskLevel.MEDIUM),
        ([PiiEntity.ADDRESS], RiskLevel.MEDIUM),
        ([PiiEntity.EMAIL, PiiEntity.SSN], RiskLevel.HIGH),
        ([PiiEntity.CREDIT_CARD], RiskLevel.HIGH),
        ([PiiEntity.IBAN, PiiEntity.SSN], RiskLevel.CRITICAL),
    ],
)
def test_risk_of_personal_data_follows_the_worst_kind(found: list[PiiEntity], risk: RiskLevel) -> None:
    assert risk_level({CheckType.PII: DetectorResult(flagged=bool(found), detected=found)}) is risk


@pytest.mark.parametrize(
    ("check", "score", "risk"),
    [
        (CheckType.SPAM, 0.99, RiskLevel.MEDIUM),
        (CheckType.SPAM, 0.6, RiskLevel.LOW),
        (CheckType.TOXICITY, 0.9, RiskLevel.HIGH),
        (CheckType.NSFW, 0.6, RiskLevel.MEDIUM),
        (CheckType.PROMPT_INJECTION, 0.9, RiskLevel.CRITICAL),
        (CheckType.PROMPT_INJECTION, 0.6, RiskLevel.HIGH),
    ],
)
def test_risk_of_a_scored_type_follows_the_score(check: CheckType, score: float, risk: RiskLevel) -> None:
    assert risk_level({check: DetectorResult(flagged=True, score=score, threshold=0.5)}) is risk


def test_the_check_has_the_highest_risk_of_its_results() -> None:
    results = {
        CheckType.SPAM: DetectorResult(flagged=True, score=0.9, threshold=0.5),
        CheckType.PII: DetectorResult(flagged=True, detected=[PiiEntity.SSN]),
        CheckType.NSFW: unavailable(),
    }
    assert risk_level(results) is RiskLevel.HIGH


def test_nothing_found_is_no_risk_even_where_a_detector_was_missing() -> None:
    assert risk_level({CheckType.PII: CLEAN, CheckType.SPAM: unavailable()}) is RiskLevel.NONE
