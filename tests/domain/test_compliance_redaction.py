"""What findings are replaced by."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from core.contracts.compliance import PiiEntity, RedactionStyle, Span
from core.domain.compliance import resolve_overlaps
from core.domain.compliance.redaction import KEYED, canonical, redact, redaction
from core.keys import RedactionKeys

KEYS = RedactionKeys(SecretStr("s" * 32), "tenant")


def whole(entity: PiiEntity, text: str) -> list[Span]:
    return [Span(entity=entity, start=0, end=len(text), score=1)]


@st.composite
def text_with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(st.text(min_size=1, max_size=40))
    edges = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).filter(lambda pair: pair[0] < pair[1])
    spans = [
        Span(entity=draw(st.sampled_from(list(PiiEntity))), start=start, end=end, score=1)
        for start, end in draw(st.lists(edges, max_size=5))
    ]
    return text, resolve_overlaps(text, spans)


@pytest.mark.parametrize("style", RedactionStyle)
@given(given_text=text_with_spans())
def test_places_tell_where_replacements_stand_and_the_rest_stays(
    style: RedactionStyle, given_text: tuple[str, list[Span]]
) -> None:
    text, spans = given_text
    redacted = redaction(text, spans, style, KEYS)
    rest, position = [], 0
    for start, end in redacted.places:
        rest.append(redacted.text[position:start])
        position = end
    edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    kept = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    assert [*rest, redacted.text[position:]] == kept


@pytest.mark.parametrize(
    ("entity", "text", "masked"),
    [
        (PiiEntity.CREDIT_CARD, "4111 1111 1111 1234", "●●●● ●●●● ●●●● 1234"),
        (PiiEntity.PHONE, "+1 (202) 555-0143", "+● (●●●) ●●●-0143"),
        (PiiEntity.PHONE, "555-01", "●●●-01"),
        (PiiEntity.EMAIL, "ann.lee@example.com", "a●●.●●●@example.com"),
        (PiiEntity.EMAIL, "a@example.com", "●@example.com"),
        (PiiEntity.EMAIL, "ann at example dot com", "a●● ●● ●●●●●●● ●●● ●●●"),
        (PiiEntity.SSN, "219-09-9999", "●●●-●●-●●●●"),
        (PiiEntity.ADDRESS, "12 Main St.", "●● ●●●● ●●."),
        (PiiEntity.SECRET, "sk_live_1", "●●_●●●●_●"),
    ],
)
def test_a_mask_leaves_what_its_owner_knows_it_by(entity: PiiEntity, text: str, masked: str) -> None:
    assert redact(text, whole(entity, text), RedactionStyle.MASK) == masked


@given(
    st.sampled_from(sorted(set(PiiEntity) - {PiiEntity.EMAIL})),
    st.text(st.characters(exclude_characters="\\"), min_size=1),
)
def test_a_mask_keeps_at_most_four_digits_and_the_length(entity: PiiEntity, text: str) -> None:
    masked = redact(text, whole(entity, text), RedactionStyle.MASK)
    assert len(masked) == len(text)
    assert sum(char.isalnum() for char in masked) <= sum(char.isalnum() for char in text)
    assert sum(char.isdigit() for char in masked) <= 4


@given(st.sampled_from(PiiEntity), st.text(min_size=1), st.booleans())
def test_a_string_of_json_is_one_under_a_mask_as_well(entity: PiiEntity, value: str, ascii_only: bool) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
    masked = redact(written, whole(entity, written), RedactionStyle.MASK)
    assert isinstance(json.loads(f'"{masked}"'), str)


def test_spans_are_told_where_their_replacements_stand() -> None:
    text = "mail ann@example.com or call 202-555-0143"
    spans = [
        Span(entity=PiiEntity.EMAIL, start=5, end=20, score=1),
        Span(entity=PiiEntity.PHONE, start=29, end=41, score=1),
    ]
    redacted = redaction(text, spans)
    found = [redacted.text[span.redacted_start : span.redacted_end] for span in redacted.placed(spans)]
    assert found == ["[EMAIL]", "[PHONE]"]


def test_removing_leaves_nothing() -> None:
    text = "ann@example.com"
    assert redact(text, whole(PiiEntity.EMAIL, text), RedactionStyle.REMOVE) == ""


def test_equal_values_have_equal_hashes_whatever_their_form() -> None:
    forms = ["4111 1111 1111 1111", "４１１１ １１１１ １１１１ １１１１", "4111-1111-1111-1111", "4111111111111111"]
    hashed = {redact(form, whole(PiiEntity.CREDIT_CARD, form), RedactionStyle.HASH, KEYS) for form in forms}
    assert len(hashed) == 1
    assert canonical(PiiEntity.EMAIL, "Ann@Example.com") == canonical(PiiEntity.EMAIL, "ann@example.com")
    assert canonical(PiiEntity.SECRET, "aB") != canonical(PiiEntity.SECRET, "ab")


@pytest.mark.parametrize("style", sorted(KEYED))
@pytest.mark.parametrize(
    ("entity", "value", "escaped"),
    [
        (PiiEntity.PHONE, "+1 202-555-0143", ["\\u002B1 202-555-0143", "&#43;1 202-555-0143"]),
        (PiiEntity.EMAIL, "ann@example.com", ["ann\\u0040example.com", "ann&#64;example.com"]),
        (PiiEntity.ADDRESS, "Müllerstraße 5\n10115 Berlin", ["M\\u00fcllerstra\\u00dfe 5\\n10115 Berlin"]),
    ],
)
def test_a_value_is_the_same_however_json_and_html_write_it(
    style: RedactionStyle, entity: PiiEntity, value: str, escaped: list[str]
) -> None:
    assert {redact(form, whole(entity, form), style, KEYS) for form in (value, *escaped)} == {
        redact(value, whole(entity, value), style, KEYS)
    }


@given(st.sampled_from(PiiEntity), st.text(alphabet='\\u0d8fA"&#x;n', min_size=1), st.sampled_from(sorted(KEYED)))
def test_no_escape_breaks_a_keyed_style(entity: PiiEntity, value: str, style: RedactionStyle) -> None:
    assert redact(value, whole(entity, value), style, KEYS)


@pytest.mark.parametrize("style", sorted(KEYED))
def test_the_keyed_styles_tell_tenants_kinds_and_values_apart(style: RedactionStyle) -> None:
    other = RedactionKeys(SecretStr("s" * 32), "other")
    written = {
        redact("ann", whole(PiiEntity.PERSON, "ann"), style, KEYS),
        redact("ann", whole(PiiEntity.PERSON, "ann"), style, other),
        redact("ann", whole(PiiEntity.SECRET, "ann"), style, KEYS).replace("SECRET", "PERSON"),
        redact("bob", whole(PiiEntity.PERSON, "bob"), style, KEYS),
    }
    assert len(written) == 4
    assert not any("ann" in one for one in written)


@pytest.mark.parametrize("style", sorted(KEYED))
def test_a_keyed_style_without_keys_is_refused(style: RedactionStyle) -> None:
    with pytest.raises(ValueError, match="needs the tenant's keys"):
        redact("ann", whole(PiiEntity.PERSON, "ann"), style)


@given(st.sampled_from(PiiEntity), st.text())
def test_a_pseudonym_is_stable_and_leads_back(entity: PiiEntity, value: str) -> None:
    token = KEYS.pseudonym(entity, value)
    assert token == RedactionKeys(SecretStr("s" * 32), "tenant").pseudonym(entity, value)
    assert token.startswith(f"{entity.upper()}_")
    assert KEYS.reveal(token) == value


@pytest.mark.parametrize("token", ["", "EMAIL_", "EMAIL_AAAA", "EMAIL_!", "no token", "é"])
def test_what_is_no_pseudonym_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="no pseudonym of this tenant"):
        KEYS.reveal(token)


def test_another_tenants_pseudonym_is_refused() -> None:
    other = RedactionKeys(SecretStr("s" * 32), "other")
    with pytest.raises(ValueError, match="no pseudonym of this tenant"):
        KEYS.reveal(other.pseudonym("email", "ann@example.com"))
