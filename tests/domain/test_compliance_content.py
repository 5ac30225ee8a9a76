"""What is read in structured content, and the way back to where it stood."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.compliance import DetectorResult, Passage, PiiEntity, Span
from core.domain.compliance import redact
from core.domain.compliance.content import CONTENT_TYPES, MAX_DEPTH, ContentFault, extract, texts_of

MAIL = "ann@example.com"
KIB = 1024


def texts(content_type: str, content: str) -> dict[str, str]:
    return {part.path: part.text for part in texts_of(content_type, content)}


def found(content_type: str, content: str, wanted: str) -> list[tuple[str, str]]:
    """Path and original text of each place where `wanted` is read."""
    extracted, places, at = extract(content_type, content), [], 0
    while (at := extracted.text.find(wanted, at)) >= 0:
        places += [(path, content[start:end]) for path, start, end in extracted.places(at, at + len(wanted))]
        at += len(wanted)
    return places


@pytest.mark.parametrize("content_type", ["text", "prompt"])
@given(content=st.text())
def test_plain_text_is_read_as_it_is(content_type: str, content: str) -> None:
    assert texts(content_type, content) == {"": content}


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@given(content=st.text(alphabet="ab <>/!-'\"=&;#\\[](){}:,1*_`@.\n"))
def test_every_character_leads_back_into_the_content(content_type: str, content: str) -> None:
    try:
        parts = texts_of(content_type, content)
    except ContentFault as fault:
        assert (content_type, fault.code) == ("json", "content_malformed")
        return
    assert all(len(part.text) == len(part.starts) == len(part.ends) for part in parts)
    places = [place for part in parts for place in zip(part.starts, part.ends, strict=True)]
    assert all(0 <= start <= end <= len(content) for start, end in places)


@pytest.mark.parametrize("content_type", ["html", "markdown"])
@given(content=st.text(alphabet=st.characters(categories=["L", "Nd", "Zs"]), min_size=1).filter(str.strip))
def test_content_without_marks_is_its_own_text(content_type: str, content: str) -> None:
    assert " ".join(texts(content_type, content)[""].split()) == " ".join(content.split())


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("<p>Hello <b>world</b></p>", {"": "\nHello world\n"}),
        ("f<i>o</i>o", {"": "foo"}),
        ("a<br>b<div>c</div>d", {"": "a\nb\nc\nd"}),
        ("Fish &amp; chips &#64; &copy; &unknown; & more", {"": "Fish & chips @ © &unknown; & more"}),
        ("one\n   two", {"": "one two"}),
        ("<!-- ignore all -->x", {"": "x", "comment": " ignore all \n"}),
        ("<script>let a = '<p>';</script>x<style>p{}</style>", {"": "x"}),
        ('<img alt="a cat" src="cat.png">', {"attribute": "a cat\n"}),
        (f"<a href='mailto:{MAIL}'>write</a>", {"": "write", "attribute": f"mailto:{MAIL}\n"}),
        ("<a href=https://example.com>site</a>", {"": "site"}),
        ("<title>T</title><textarea>U</textarea>", {"": "\nT\n\nU\n"}),
        ("1 < 2 and 3 > 2", {"": "1 < 2 and 3 > 2"}),
        ("5 <b and never closed", {"": "5 <b and never closed"}),
        ('<p title="never closed', {"": '<p title="never closed', "attribute": "never closed\n"}),
        ("<!-- never closed", {"comment": " never closed\n"}),
        ("<script>never closed", {"": ""}),
        ("<!DOCTYPE html>x", {"": "x", "comment": "DOCTYPE html\n"}),
    ],
)
def test_html_is_read_as_people_and_models_see_it(content: str, parts: dict[str, str]) -> None:
    assert texts("html", content) == parts


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("# Title\n> said **b**old _now_", {"": "Title\nsaid bold now"}),
        ('see [here](mailto:a@b.com "a title")', {"": "see here", "attribute": "mailto:a@b.com\na title\n"}),
        ("![a cat](cat.png)", {"": "a cat", "attribute": "cat.png\n"}),
        ("john_doe@example.com snake_case", {"": "john_doe@example.com snake_case"}),
        (f"<{MAIL}>", {"": f"{MAIL}>"}),
        (r"a \* b &amp; c", {"": "a * b & c"}),
        ("x <!-- hidden --> <b>y</b>", {"": "x  y", "comment": " hidden \n"}),
        ("`code` and ~~gone~~", {"": "code and gone"}),
    ],
)
def test_markdown_is_read_without_its_marks(content: str, parts: dict[str, str]) -> None:
    assert texts("markdown", content) == parts


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ('"just text"', {"$": "just text"}),
        (
            '{"a": {"b c": ["x", "y"]}}',
            {"$.a": "a", '$.a["b c"]': "b c", '$.a["b c"][0]': "b c: x", '$.a["b c"][1]': "b c: y"},
        ),
        ('{"ssn": 219099999, "n": 3, "ok": true}', {"$.ssn": "ssn: 219099999", "$.n": "n", "$.ok": "ok"}),
        ('[["a"], "b"]', {"$[0][0]": "a", "$[1]": "b"}),
        (r'{"m": "a\u0040b\n\ud83d\ude00\ud800"}', {"$.m": "m: a@b\n\U0001f600\ufffd"}),
        ("{}", {}),
        ("7", {}),
    ],
)
def test_json_is_read_by_path(content: str, parts: dict[str, str]) -> None:
    assert texts("json", content) == parts


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=20,
    ),
    st.booleans(),
)
def test_every_string_of_a_json_document_is_read(document: object, ascii_only: bool) -> None:
    read = extract("json", json.dumps(document, ensure_ascii=ascii_only)).text

    def check(value: object) -> None:
        if isinstance(value, str):
            assert value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") in read
        elif isinstance(value, dict):
            for key, inner in value.items():
                check(key)
                check(inner)
        elif isinstance(value, list):
            for inner in value:
                check(inner)

    check(document)


@pytest.mark.parametrize(
    ("content_type", "content", "places"),
    [
        ("html", f"<p>write to {MAIL}</p>", [("", MAIL)]),
        ("html", "ann&#64;example.com", [("", "ann&#64;example.com")]),
        ("html", "<b>ann</b>@example.com", [("", "ann</b>@example.com")]),
        ("html", f"<!-- {MAIL} --><img alt='{MAIL}'>", [("attribute", MAIL), ("comment", MAIL)]),
        ("markdown", f"**{MAIL}**", [("", MAIL)]),
        ("markdown", r"ann\@example.com", [("", r"ann\@example.com")]),
        ("json", '{"u": [{"mail": "ann\\u0040example.com"}]}', [("$.u[0].mail", "ann\\u0040example.com")]),
        ("json", f'{{"{MAIL}": 1}}', [(f'$["{MAIL}"]', MAIL)]),
    ],
)
def test_what_is_found_is_told_by_where_it_stood(
    content_type: str, content: str, places: list[tuple[str, str]]
) -> None:
    assert found(content_type, content, MAIL) == places


def test_a_result_is_told_in_offsets_of_the_original() -> None:
    content = '{"mail": "ann\\u0040example.com"}'
    extracted = extract("json", content)
    at = extracted.text.index(MAIL)
    span = Span(entity=PiiEntity.EMAIL, start=at, end=at + len(MAIL), score=1)
    result = DetectorResult(spans=[span], passages=[Passage(start=0, end=len(extracted.text), score=0.5)])
    located = extracted.located(result)
    assert [(s.path, content[s.start : s.end]) for s in located.spans or []] == [("$.mail", "ann\\u0040example.com")]
    assert [p.path for p in located.passages or []] == ["$.mail"]
    assert redact(content, located.spans or []) == '{"mail": "[EMAIL]"}'


def test_a_finding_across_parts_is_told_for_each() -> None:
    extracted = extract("json", '["12 Main", "Street"]')
    assert [place.path for place in extracted.places(0, len(extracted.text))] == ["$[0]", "$[1]"]


def test_a_finding_across_key_and_value_leaves_what_stands_between_them() -> None:
    content = '{"pass hunter22": "or so", "ssn": ["219-09-9999"]}'
    extracted = extract("json", content)
    texts = ("hunter22: or", "ssn: 219-09-9999")
    spans = [
        Span(
            entity=PiiEntity.SECRET, start=extracted.text.index(one), end=extracted.text.index(one) + len(one), score=1
        )
        for one in texts
    ]
    located = extracted.located(DetectorResult(spans=spans)).spans or []
    assert redact(content, located) == '{"pass [SECRET]": "[SECRET] so", "ssn": ["[SECRET]"]}'


def test_spans_of_hidden_parts_come_in_the_order_of_the_original() -> None:
    content = f"<!-- {MAIL} -->{MAIL}"
    extracted = extract("html", content)
    ends = [extracted.text.index(MAIL), extracted.text.rindex(MAIL)]
    spans = [Span(entity=PiiEntity.EMAIL, start=at, end=at + len(MAIL), score=1) for at in ends]
    assert redact(content, extracted.located(DetectorResult(spans=spans)).spans or []) == "<!-- [EMAIL] -->[EMAIL]"


@pytest.mark.parametrize("content_type", ["html", "markdown"])
def test_what_stands_inside_a_finding_is_covered_once_and_nothing_of_either_is_left(content_type: str) -> None:
    content = f"ann@<!-- {MAIL} -->example.com"
    extracted = extract(content_type, content)
    ends = [extracted.text.index(MAIL), extracted.text.rindex(MAIL)]
    spans = [Span(entity=PiiEntity.EMAIL, start=at, end=at + len(MAIL), score=1) for at in ends]
    located = extracted.located(DetectorResult(spans=spans)).spans or []
    assert [(content[span.start : span.end], span.path) for span in located] == [
        ("ann@<!-- ", None),
        (MAIL, "comment"),
        (" -->example.com", None),
    ]
    assert redact(content, located) == "[EMAIL]" * 3


@pytest.mark.parametrize("content_type", ["html", "markdown"])
@pytest.mark.parametrize("content", [f'<a title="{MAIL}', f'<a href="mailto:{MAIL}" title="x', f'<img alt="{MAIL}" <b'])
def test_what_a_tag_that_does_not_end_says_as_text_and_as_attribute_is_one_finding(
    content_type: str, content: str
) -> None:
    extracted = extract(content_type, content)
    ends = [extracted.text.index(MAIL), extracted.text.rindex(MAIL)]
    assert ends[0] < ends[1]
    spans = [Span(entity=PiiEntity.EMAIL, start=at, end=at + len(MAIL), score=1) for at in ends]
    located = extracted.located(DetectorResult(spans=spans)).spans or []
    assert redact(content, located) == content.replace(MAIL, "[EMAIL]")


@pytest.mark.parametrize("content", ["", "{", "{'a': 1}", '{"a": 1,}', '"\x01"', "[1] 2", "nul", '"a', '{"a" 1}'])
def test_what_is_no_json_is_refused(content: str) -> None:
    with pytest.raises(ContentFault) as refused:
        texts_of("json", content)
    assert refused.value.code == "content_malformed"


@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a":', "}"), ("[", ""), ('[{"a":', "}]")])
def test_json_ten_thousand_deep_is_refused_and_nothing_breaks(opens: str, closes: str) -> None:
    with pytest.raises(ContentFault) as refused:
        texts_of("json", opens * 10_000 + "1" + closes * 10_000)
    assert refused.value.code == "content_too_deep"


def test_json_as_deep_as_allowed_is_read() -> None:
    assert extract("json", "[" * MAX_DEPTH + '"x"' + "]" * MAX_DEPTH).text == "x"


UNITS = {
    "html": (
        *("<", "<a", "<a ", "<a b='", '<a b="x', "<!--", "<!", "</script", "<script>", "<p>", "&", "&#", "&amp;"),
        *("< ", "<div title=x>", "<a href=@", "\n "),
    ),
    "markdown": (
        *("[", "![", "](", "[a](b", "[a](b)", "*", "_", "_a", "`", ">", "> ", "<", "<a@b", "\\", "# ", "&"),
        '[a](b "',
    ),
    "json": ('"', "[", "{", "\\", "1", '"a",', "1,", " "),
}


@pytest.mark.parametrize(("content_type", "unit"), [(kind, unit) for kind, units in UNITS.items() for unit in units])
def test_a_hundred_kib_of_anything_come_to_an_end(content_type: str, unit: str) -> None:
    content = unit * (100 * KIB // len(unit))
    try:
        extracted = extract(content_type, content)
    except ContentFault:
        return
    assert len(extracted.text) <= 3 * len(content)


def test_many_strings_under_long_keys_do_not_multiply() -> None:
    content = '{"' + "k" * 20_000 + '":[' * 1 + ",".join(['"aaaaaa"'] * 8_000) + "]}"
    extracted = extract("json", content)
    assert len(extracted.text) <= 3 * len(content)
    assert sum(len(part.path) for part in extracted.parts) <= 60 * len(content)
