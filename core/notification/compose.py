"""From a template and its variables to the message that goes out; what is wrong is named field by field."""

import asyncio
from collections.abc import Sequence

from core.contracts.notification import Channel, Content, Format
from core.contracts.platform import JsonObject
from core.domain.notification import looks_like_html, one_line, text_of_html
from core.errors import FieldError, Invalid
from core.notification.templating import TemplateFault, parse, render


async def check(*, subject: str | None, body: str, html: bool, declared: Sequence[str] | None) -> list[str]:
    """The variables of a template to keep. Invalid where it is wrong, or uses what it does not declare."""
    return await asyncio.to_thread(_check, subject, body, html, declared)


async def compose(
    *, subject: str | None, body: str, html: bool, variables: JsonObject, declared: Sequence[str] | None
) -> Content:
    """The message. Invalid where a variable is missing, unknown, or of a kind that the template cannot use."""
    return await asyncio.to_thread(_compose, subject, body, html, variables, declared)


def format_of(channel: Channel, body: str, wanted: Format | None) -> Format:
    """Whether a body is HTML. Only mail can show it."""
    if wanted is Format.HTML and channel is not Channel.EMAIL:
        found = [FieldError("format", "only an email template can be html")]
        raise Invalid("This channel shows plain text only: leave the format out.", errors=found)
    guessed = Format.HTML if channel is Channel.EMAIL and looks_like_html(body) else Format.TEXT
    return wanted or guessed


def _variables(subject: str | None, body: str, html: bool) -> tuple[set[str], set[str]]:
    """What subject and body need, and what they can do without."""
    needed, optional, faults = set[str](), set[str](), list[FieldError]()
    for field, text, as_html in (("subject", subject, False), ("body", body, html)):
        try:
            _, its_needed, its_optional = parse(text or "", html=as_html)
        except TemplateFault as fault:
            faults.append(fault.of(field))
            continue
        needed |= its_needed
        optional |= its_optional
    if faults:
        raise Invalid(f"The template has a fault: {faults[0].field}, {faults[0].message}.", errors=faults)
    return needed, optional - needed


def _check(subject: str | None, body: str, html: bool, declared: Sequence[str] | None) -> list[str]:
    needed, optional = _variables(subject, body, html)
    if declared is None:
        return sorted(needed | optional)
    if strangers := sorted((needed | optional) - set(declared)):
        found = [FieldError("variables", f"the template uses {name}", "undeclared_variable") for name in strangers]
        raise Invalid(f"The template uses {', '.join(strangers)}: name it in variables.", errors=found)
    return list(dict.fromkeys(declared))


def _compose(
    subject: str | None, body: str, html: bool, variables: JsonObject, declared: Sequence[str] | None
) -> Content:
    needed, optional = _variables(subject, body, html)
    missing = sorted(needed - variables.keys())
    unknown = sorted(variables.keys() - needed - optional - set(declared or ()))
    if missing or unknown:
        raise _mismatch(missing, unknown)
    written = _rendered("body", body, variables, html=html)
    told = _rendered("subject", subject or "", variables, html=False)
    return Content(
        subject=one_line(told) or None,
        text=text_of_html(written) if html else written,
        html=written if html else None,
    )


def _mismatch(missing: Sequence[str], unknown: Sequence[str]) -> Invalid:
    found = [FieldError(f"variables.{name}", "is missing", "missing_variable") for name in missing]
    found += [
        FieldError(f"variables.{name}", "the template has no such variable", "unknown_variable") for name in unknown
    ]
    said = [f"needs {', '.join(missing)}"] if missing else []
    said += [f"does not know {', '.join(unknown)}"] if unknown else []
    return Invalid(f"The template {' and '.join(said)}. Nothing was sent.", errors=found)


def _rendered(field: str, text: str, variables: JsonObject, *, html: bool) -> str:
    try:
        return render(text, variables, html=html)
    except TemplateFault as fault:
        found = [fault.of("variables" if fault.code == "missing_variable" else field)]
        raise Invalid(f"The {field} cannot be rendered: {fault.message}. Nothing was sent.", errors=found) from fault
