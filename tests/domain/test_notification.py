"""Notification rules: statuses add up, failures have classes, HTML becomes text, templates stay in their sandbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contracts.event.webhook import FailureClass
from core.contracts.notification import FINISHED, BatchStatus, ChannelStatus, NotificationStatus
from core.domain.notification import (
    BUILT_IN,
    counts,
    from_http,
    from_smtp,
    looks_like_html,
    one_line,
    overall,
    progress,
    text_of_html,
)
from core.notification.templating import MAX_RENDERED_CHARACTERS, TemplateFault, parse, render

OPEN = {ChannelStatus.PENDING, ChannelStatus.SENDING, ChannelStatus.RETRYING}
some_channels = st.lists(st.sampled_from(ChannelStatus), min_size=1, max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(some_channels)
def test_a_notification_is_over_exactly_when_every_channel_is(channels: list[ChannelStatus]) -> None:
    assert (overall(channels) in FINISHED) == OPEN.isdisjoint(channels)


@given(some_channels)
def test_delivered_means_that_nobody_who_wanted_it_missed_it(channels: list[ChannelStatus]) -> None:
    if overall(channels) is NotificationStatus.DELIVERED:
        assert set(channels) <= {ChannelStatus.SENT, ChannelStatus.DELIVERED, ChannelStatus.SUPPRESSED}


@given(some_channels)
def test_the_order_of_channels_does_not_matter(channels: list[ChannelStatus]) -> None:
    assert overall(channels) is overall(channels[::-1])


@pytest.mark.parametrize(
    ("channels", "status"),
    [
        (["pending", "pending"], "queued"),
        (["pending", "delivered"], "sending"),
        (["delivered", "retrying"], "sending"),
        (["sent", "delivered"], "delivered"),
        (["sent", "suppressed"], "delivered"),
        (["delivered", "failed"], "partially_delivered"),
        (["failed", "cancelled"], "failed"),
        (["cancelled", "suppressed"], "cancelled"),
        (["suppressed"], "cancelled"),
    ],
)
def test_channels_add_up(channels: list[str], status: str) -> None:
    assert overall([ChannelStatus(channel) for channel in channels]) == status


@given(st.dictionaries(st.sampled_from([s.value for s in NotificationStatus]), st.integers(0, 50)), st.integers(0, 50))
def test_a_batch_counts_every_recipient(found: dict[str, int], unmade: int) -> None:
    total = sum(found.values()) + unmade
    counted = counts(found, total=total, status=BatchStatus.RUNNING)
    assert sum(counted.model_dump().values()) == total
    assert counted.waiting == unmade


def test_who_a_cancelled_batch_never_reached_is_cancelled() -> None:
    counted = counts({"delivered": 3}, total=10, status=BatchStatus.CANCELLED)
    assert (counted.waiting, counted.cancelled, progress(counted, 10)) == (0, 7, 100.0)


@given(st.integers(300, 599), st.none() | st.floats(0, 1e6))
def test_no_http_refusal_counts_as_success(status: int, retry_after: float | None) -> None:
    found = from_http(status, retry_after=retry_after)
    assert found.retry_after == retry_after
    assert (found.failure_class is FailureClass.PERMANENT) == (found.code == "rejected")


@given(st.integers(400, 599), st.text(max_size=50), st.booleans())
def test_a_mail_server_s_5xx_is_permanent_unless_about_our_login(reply: int, text: str, about: bool) -> None:
    found = from_smtp(reply, text, about_recipient=about)
    login = reply in (530, 534, 535, 538)
    assert (found.failure_class is FailureClass.PERMANENT) == (reply >= 500 and not login)


def test_html_becomes_what_a_reader_would_see() -> None:
    html = "<style>p{}</style><h1>Hello</h1><p>Tom &amp; Jerry,<br>see <a href='https://isa.example/x'>this</a></p>"
    assert text_of_html(html) == "Hello\n\nTom & Jerry,\nsee this (https://isa.example/x)"


@given(st.text(max_size=200))
def test_text_of_anything_can_be_had(html: str) -> None:
    assert isinstance(text_of_html(html), str)


@given(st.text(max_size=100))
def test_a_subject_stays_one_line(text: str) -> None:
    assert not set(one_line(text)) & set("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def test_html_is_known_by_its_tags() -> None:
    assert looks_like_html("<p>Hello</p>")
    assert looks_like_html("a<br/>b")
    assert not looks_like_html("1 < 2, and 3 > 2")


@pytest.mark.parametrize("template", BUILT_IN, ids=lambda template: str(template.name))
def test_a_built_in_template_needs_no_variables(template: object) -> None:
    for text in (template.subject or "", template.body):  # type: ignore[attr-defined]  # pytest passes it as object
        assert render(text, {})


# ---- the sandbox


@given(st.dictionaries(st.just("x"), json_values, min_size=1))
def test_html_escapes_whatever_a_variable_brings(variables: dict[str, object]) -> None:
    assert "<" not in render("{{ x }}{{ x | upper }}{{ x | default('a') }}", variables, html=True)


@given(st.text(max_size=60), json_values)
def test_any_template_renders_or_says_what_is_wrong(source: str, value: object) -> None:
    for wrapped in (source, "{{" + source + "}}", "{%" + source + "%}"):
        try:
            render(wrapped, {"x": value})
        except TemplateFault as fault:
            assert fault.message


@pytest.mark.parametrize(
    "source",
    [
        "{{ x.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ x['__class__'] }}",
        "{{ x.items }}",
        "{{ x.upper() }}",
        "{{ range(3) }}",
        "{{ cycler }}",
        "{{ self }}",
        "{{ _budget }}",
        "{% for a in x %}{{ loop.__init__ }}{% endfor %}",
        "{% set y = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{{ 2 ** 99999999 }}",
        "{{ 'a' * 99999999 }}",
        "{{ x | safe }}",
        "{{ x | attr('__class__') }}",
        "{{ x | center(99999999) }}",
    ],
)
def test_the_sandbox_lets_nobody_out(source: str) -> None:
    with pytest.raises(TemplateFault):
        render(source, {"x": {"a": "b"}})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}", [1] * 500),
        ("{{ x }}" * 100, "y" * 10_000),
        ("{{ x | join(x[0]) }}", ["y" * 2000] * 300),
        ("{% for a in x %}" * 4 + "{% endfor %}" * 4, [1]),
        ("{{ [" + "x | urlencode, " * 900 + "] | length }}", "é" * 32_000),
        ("{% if x | urlencode == 1 %}{% endif %}" * 900, "é" * 32_000),
        ("{{ " + "(" * 20_000, 1),
        ("{% if x %}" * 200 + "{% endif %}" * 200, 1),
    ],
    ids=[
        *("loops", "length", "join", "nested loops", "texts nobody sees", "conditions", "parentheses"),
        "nested ifs",
    ],
)
def test_a_template_stays_within_its_limits(source: str, value: object) -> None:
    with pytest.raises(TemplateFault):
        render(source, {"x": value})


def test_what_is_rendered_may_be_as_long_as_the_limit() -> None:
    assert len(render("{{ x }}", {"x": "y" * MAX_RENDERED_CHARACTERS})) == MAX_RENDERED_CHARACTERS


def test_a_syntax_fault_names_its_line() -> None:
    with pytest.raises(TemplateFault, match="line 3"):
        parse("Hello\n\n{% if x %}")


def test_variables_with_a_default_can_be_left_out() -> None:
    _, needed, optional = parse("{{ a }}{{ b | default('x') }}{% if c is defined %}{{ c }}{% endif %}{{ d.e }}")
    assert (needed, optional) == ({"a", "d"}, {"b", "c"})


def test_a_missing_part_of_a_variable_is_named() -> None:
    with pytest.raises(TemplateFault, match="first has no value") as caught:
        render("{{ user.first }}", {"user": {"last": "Doe"}})
    assert caught.value.code == "missing_variable"


def test_loops_know_where_they_are() -> None:
    source = "{% for item in items %}{{ loop.index }}:{{ item.name }}{% if not loop.last %}, {% endif %}{% endfor %}"
    assert render(source, {"items": [{"name": "a"}, {"name": "b"}]}) == "1:a, 2:b"
