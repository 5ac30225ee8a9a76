"""Which policy judges a check, and what allow and block lists make of findings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.patterns import compiled
from core.contracts.compliance import (
    BUILT_IN_POLICIES,
    SUPPORTED_CONTENT,
    Action,
    Check,
    CheckStatus,
    CheckType,
    DetectorResult,
    EntryKind,
    ListEntry,
    PiiEntity,
    Policy,
    PolicyHeads,
    PolicySettings,
    PolicySource,
    RescoreFigures,
    RiskLevel,
    RuleInput,
    Span,
)
from core.domain.compliance.content import CONTENT_TYPES
from core.domain.compliance.lists import ALL_TYPES, PatternFault, TextList, ready
from core.domain.compliance.policies import Rulebook, choose, judge, policy_of, rulebook
from core.domain.compliance.rescores import add, rejudge

words = st.text(st.sampled_from("abz"), min_size=1, max_size=3)
texts = st.lists(words, min_size=1, max_size=12)
actions = st.sampled_from(Action)
types = st.none() | st.lists(st.sampled_from(CheckType), min_size=1, unique=True)


def _list(kind: EntryKind, *values: str, check_types: list[CheckType] | None = None) -> TextList:
    return ready([ListEntry(kind=kind, value=value, check_types=check_types) for value in values], compiled)


def _rules(action: Action = Action.BLOCK, *, block: TextList | None = None, allow: TextList | None = None) -> Rulebook:
    settings = PolicySettings(rules={check: RuleInput(action=action) for check in CheckType})
    return Rulebook(policy_of(settings, name="p", version=1), block or TextList(), allow or TextList())


def _scored(score: float = 0.9) -> DetectorResult:
    return DetectorResult(flagged=score >= 0.5, score=score, threshold=0.5)


# ---- which policy

names = st.none() | st.sampled_from(["chat", "mine", "gone"])
heads = st.builds(
    PolicyHeads,
    versions=st.just({"mine": 3}),
    tenant=names,
    categories=st.dictionaries(st.just("mails"), names.filter(bool)),
    callers=st.dictionaries(st.just("ann"), names.filter(bool)),
)


@given(heads)
def test_the_most_specific_assignment_to_a_policy_that_is_there_wins(known: PolicyHeads) -> None:
    chosen = choose(known, named=None, caller="ann", category="mails")
    there = ("mine", "chat")
    order = [
        (known.callers.get("ann"), PolicySource.CALLER),
        (known.categories.get("mails"), PolicySource.CATEGORY),
        (known.tenant, PolicySource.TENANT),
        ("default", PolicySource.DEFAULT),
    ]
    name, source = next((name, source) for name, source in order if name in (*there, "default"))
    assert chosen is not None
    assert (chosen.name, chosen.source) == (name, source)
    assert chosen.version == (3 if name == "mine" else 1)


@given(heads, st.sampled_from(["mine", "chat", "gone"]))
def test_a_policy_that_is_named_is_the_one_or_there_is_none(known: PolicyHeads, named: str) -> None:
    chosen = choose(known, named=named, caller="ann", category="mails")
    assert (chosen is None) == (named == "gone")
    assert chosen is None or (chosen.name, chosen.source) == (named, PolicySource.REQUEST)


def test_a_policy_has_a_rule_for_every_type_and_keeps_its_settings() -> None:
    settings = PolicySettings(rules={CheckType.SPAM: RuleInput(action=Action.BLOCK)}, cache_seconds=7)
    policy = policy_of(settings, name="mine", version=4)
    assert policy.rules.keys() == set(CheckType)
    assert policy.rules[CheckType.SPAM].action is Action.BLOCK
    assert policy.rules[CheckType.PII] == BUILT_IN_POLICIES["default"].rules[CheckType.PII]
    assert (policy.name, policy.version, policy.cache_seconds, policy.built_in) == ("mine", 4, 7, False)


def test_the_contract_names_every_kind_of_content_that_is_read() -> None:

    assert SUPPORTED_CONTENT == CONTENT_TYPES


# ---- lists


@given(texts, st.lists(words, min_size=1, max_size=3))
def test_a_term_is_found_where_its_words_stand_in_a_row(text: list[str], term: list[str]) -> None:
    expected = any(text[n : n + len(term)] == term for n in range(len(text)))
    assert bool(_list(EntryKind.TERM, " ".join(term)).within(" ".join(text))) == expected


@given(texts, texts)
def test_an_exact_entry_is_the_whole_text(text: list[str], entry: list[str]) -> None:
    found = _list(EntryKind.EXACT, " ".join(entry))
    assert bool(found.within(" ".join(text))) == bool(found.of(" ".join(text))) == (text == entry)


@given(texts, types)
def test_an_entry_speaks_for_its_types_only(text: list[str], named: list[CheckType] | None) -> None:
    found = _list(EntryKind.REGEX, ".", check_types=named).within(" ".join(text))
    assert found == (frozenset(named) if named else ALL_TYPES)


@pytest.mark.parametrize("text", ["STRASSE", "straße", "ｓｔｒａｓｓｅ", "str\u200basse", "\u00adstrasse\ufeff"])
def test_what_looks_alike_is_alike(text: str) -> None:
    assert _list(EntryKind.TERM, "Straße").within(f"in der {text}!")
    assert _list(EntryKind.EXACT, "in der Straße").of(f"in  der {text}")


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("example.com", "ann@example.com", True),
        ("example.com", "ann@example.company", False),
        ("c++", "I write C++.", True),
        ("c++", "I write C.", False),
        ("ass", "passing", False),
        ("$$$", "get $$$ now", True),
    ],
)
def test_a_term_may_hold_signs_and_is_never_part_of_a_word(term: str, text: str, found: bool) -> None:
    assert bool(_list(EntryKind.TERM, term).within(text)) == found


@given(st.sampled_from(["a+b", "(ab|ba)z", "^ab", "b$", "[^a]", "a{2,3}"]), st.text(st.sampled_from("abz"), max_size=9))
def test_a_pattern_means_what_it_means_elsewhere(pattern: str, text: str) -> None:
    assert compiled(pattern).search(text) == bool(re.search(pattern, text))
    assert compiled(pattern).fullmatch(text) == bool(re.fullmatch(pattern, text))


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", r"(\w{1,1000}){1000}", "[z-a]"])
def test_what_re2_does_not_take_is_told(pattern: str) -> None:
    with pytest.raises(PatternFault, match=r"\w"):
        compiled(pattern)


def test_a_pattern_that_backtracks_elsewhere_is_done_at_once() -> None:
    assert not compiled("(a+)+$").search("a" * 100_000 + "b")


# ---- lists in a judgement


@given(actions, st.sampled_from([_scored(0.1), _scored(0.9), DetectorResult(available=False)]))
def test_a_block_list_hit_blocks_whatever_else_was_said(action: Action, result: DetectorResult) -> None:
    entry = _list(EntryKind.TERM, "bad")
    judged = judge(
        "a bad text", {CheckType.SPAM: result}, _rules(action, block=entry, allow=_list(EntryKind.REGEX, ".*"))
    )
    assert (judged.status, judged.risk_level) == (CheckStatus.BLOCKED, RiskLevel.HIGH)
    assert "block_list" in judged.reasons


@given(st.sampled_from([check for check in CheckType if check is not CheckType.PII]), actions)
def test_an_allow_list_hit_takes_a_finding_back(check: CheckType, action: Action) -> None:
    judged = judge("fine", {check: _scored()}, _rules(action, allow=_list(EntryKind.EXACT, "Fine")))
    assert (judged.status, judged.risk_level, judged.reasons) == (CheckStatus.PASSED, RiskLevel.NONE, ["allow_list"])
    assert judged.results[check].reasons == ["allow_list"]
    assert judged.results[check].score == 0.9


def test_a_term_of_the_allow_list_does_not_excuse_a_whole_text() -> None:
    judged = judge("fine words", {CheckType.SPAM: _scored()}, _rules(allow=_list(EntryKind.TERM, "fine")))
    assert (judged.status, judged.reasons) == (CheckStatus.BLOCKED, [])


def test_an_allow_list_cannot_stand_in_for_a_detector() -> None:
    judged = judge(
        "fine", {CheckType.SPAM: DetectorResult(available=False)}, _rules(allow=_list(EntryKind.EXACT, "fine"))
    )
    assert judged.status is CheckStatus.INCOMPLETE


def test_what_a_pattern_allows_is_the_whole_value() -> None:
    text, spans = "a@b.co c@d.org", [(0, 6), (7, 14)]
    found = DetectorResult(
        flagged=True, spans=[Span(entity=PiiEntity.EMAIL, start=start, end=end, score=1) for start, end in spans]
    )
    judged = judge(text, {CheckType.PII: found}, _rules(allow=_list(EntryKind.REGEX, ".@b.co", "d.org")))
    assert judged.results[CheckType.PII].redacted == "a@b.co [EMAIL]"


def test_lists_are_held_against_what_was_read() -> None:
    rules = _rules(block=_list(EntryKind.TERM, "bad"))
    found = {CheckType.SPAM: _scored(0.1)}
    assert judge("<b>b</b>ad", found, rules).status is CheckStatus.PASSED
    assert judge("<b>b</b>ad", found, rules, read="bad").status is CheckStatus.BLOCKED


def test_a_policy_brings_its_lists_and_names_its_detectors() -> None:
    settings = PolicySettings(
        rules={CheckType.SPAM: RuleInput(action=Action.FLAG, detector="other")},
        block_list=[ListEntry(kind=EntryKind.EXACT, value="x")],
    )
    rules = rulebook(policy_of(settings, name="p", version=1), compiled)
    assert rules.block
    assert not rules.allow
    assert rules.detectors([CheckType.SPAM, CheckType.PII]) == {CheckType.SPAM: "other"}


# ---- judged again


def _past(results: dict[CheckType, DetectorResult], status: CheckStatus) -> Check:
    known = {"policy": "chat", "policy_version": 1, "content_type": "text", "content_hash": "h", "content_length": 1}
    return Check.model_validate(
        known
        | {
            "check_id": "chk_1",
            "status": status,
            "risk_level": "none",
            "results": results,
            "checked_by": "u",
            "created_at": "2024-01-01T00:00:00Z",
        }
    )


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_kept_score_is_judged_by_the_detectors_own_threshold_or_the_rules(
    score: float, own: float, asked: float
) -> None:
    kept = DetectorResult(flagged=True, score=score, threshold=0.123, reasons=["block_list"])
    past = _past({CheckType.SPAM: kept}, CheckStatus.BLOCKED)
    without = rejudge(past, "", _rules(), {}, {CheckType.SPAM: own}).results[CheckType.SPAM]
    settings = PolicySettings(rules={CheckType.SPAM: RuleInput(action=Action.FLAG, threshold=asked)})
    ruled = Rulebook(policy_of(settings, name="p", version=1))
    with_rule = rejudge(past, "", ruled, {}, {CheckType.SPAM: own}).results[CheckType.SPAM]
    assert (without.flagged, with_rule.flagged, without.reasons) == (score >= own, score >= asked, None)


def test_judging_again_by_the_same_policy_changes_nothing() -> None:
    pii = DetectorResult(
        flagged=True,
        score=1,
        threshold=0.4,
        detected=[PiiEntity.EMAIL],
        spans=[Span(entity=PiiEntity.EMAIL, start=5, end=11, score=1)],
        redacted="mail [EMAIL]",
    )
    past = _past({CheckType.PII: pii, CheckType.SPAM: _scored(0.2)}, CheckStatus.FLAGGED)
    chat: Policy = BUILT_IN_POLICIES["chat"]
    for found in ({}, {CheckType.PII: DetectorResult(flagged=False, score=0, spans=[], threshold=0.4)}):
        judgement = rejudge(past, "mail [EMAIL]", Rulebook(chat), found, {})
        figures = add(RescoreFigures(), past, judgement, examples=10)
        assert (figures.rescored, figures.changed, figures.by_type, figures.examples) == (1, 0, {}, [])


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30), st.integers(0, 5))
def test_figures_add_up(pairs: list[tuple[bool, bool]], examples: int) -> None:
    figures = RescoreFigures()
    for before, after in pairs:
        status = CheckStatus.FLAGGED if before else CheckStatus.PASSED
        past = _past({CheckType.SPAM: _scored(0.9 if before else 0.1)}, status)
        rules = _rules(Action.FLAG)
        now = judge("", {CheckType.SPAM: _scored(0.9 if after else 0.1)}, rules)
        figures = add(figures, past, now, examples=examples)
    changed = sum(before != after for before, after in pairs)
    assert (figures.rescored, figures.changed) == (len(pairs), changed)
    assert sum(move.count for move in figures.moves) == len(pairs)
    assert sum(flips.newly_flagged + flips.no_longer_flagged for flips in figures.by_type.values()) == changed
    assert len(figures.examples) == min(examples, changed)
