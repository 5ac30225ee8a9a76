"""What HTML shows and what it hides: text, attributes that people read, comments."""

import html
import re
from collections.abc import Iterator

from core.domain.compliance.content.parts import Builder, Part
from core.domain.compliance.context import words

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,31});?")
_WHITE = re.compile(r"[ \t\r\n\f]{2,}|[\t\r\n\f]")
_OPENS = re.compile(r"<(?:!--|!|\?|/?[A-Za-z])")
_NAME = re.compile(r"</?([A-Za-z][^\s/>]{0,100})")
_ATTRIBUTE = re.compile(
    r"[\s/]*+(?P<name>[^\s\"'<>/=]++)(?:\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"?|'(?P<single>[^']*+)'?|(?P<bare>[^\s\"'<>]++))?)?"
)
_TAG_END = re.compile(r"[^>]*+>")
_RAW = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in ("script", "style")}
_BLOCKS = words(
    "address article aside blockquote body br caption center dd details dialog div dl dt fieldset figcaption figure",
    "footer form frame h1 h2 h3 h4 h5 h6 head header hr html iframe legend li main nav noscript ol optgroup option p",
    "pre section select summary table tbody td textarea tfoot th thead title tr ul",
)
_READ_ATTRIBUTES = words("alt title aria-label aria-description placeholder value content label summary")
_ADDRESSED = re.compile(r"(?:mailto|tel|sms|callto):|[^@]{0,500}(?:@|%40)", re.IGNORECASE)


def html_parts(content: str) -> list[Part]:
    """Visible text (also what a style would hide), then attributes, then comments; each where there is any.

    Scripts and style sheets are left out: they are code. Tags inside a word do not part it, blocks are lines.
    """
    return Markup(content).parts()


class Markup:
    """Reads HTML from front to back, each character once."""

    def __init__(self, content: str) -> None:
        self._content = content
        self.text, self.attributes, self.comments = Builder(""), Builder("attribute"), Builder("comment")

    def parts(self) -> list[Part]:
        at = 0
        while opened := _OPENS.search(self._content, at):
            self.shown(at, opened.start())
            at = self.markup(opened)
        self.shown(at, len(self._content))
        return self.built()

    def built(self) -> list[Part]:
        """The parts so far; an empty one only where there is no other."""
        parts = [builder.part() for builder in (self.text, self.attributes, self.comments)]
        return [part for part in parts if part.text.strip()] or parts[:1]

    def shown(self, start: int, end: int) -> None:
        """Text between tags: entities decoded, white space as one space."""
        copy_text(self.text, self._content, start, end)

    def markup(self, opened: re.Match[str]) -> int:
        """Take what opens here; the offset after it."""
        kind, start = opened.group(), opened.start()
        if kind == "<!--":
            return self._comment(start + 4, "-->")
        if kind in ("<!", "<?"):
            return self._comment(start + 2, ">")
        return self._tag(start)

    def _comment(self, start: int, closing: str) -> int:
        found = self._content.find(closing, start)
        end = found if found >= 0 else len(self._content)
        copy_text(self.comments, self._content, start, end)
        self.comments.between("\n", end)
        return min(end + len(closing), len(self._content))

    def _tag(self, start: int) -> int:
        named = _NAME.match(self._content, start)
        name = named[1].lower() if named else ""
        at = named.end() if named else start + 1
        while attribute := _ATTRIBUTE.match(self._content, at):
            self._attribute(attribute)
            at = attribute.end()
        ended = _TAG_END.match(self._content, at)
        if not ended:  # no tag after all: whatever a browser makes of it, a reader sees it
            self.shown(start, len(self._content))
            return len(self._content)
        at = ended.end()
        if name in _BLOCKS:
            self.text.between("\n", at)
        closing = _RAW.get(name) if self._content[start + 1] != "/" else None
        return self._past(closing, at) if closing else at

    def _past(self, closing: re.Pattern[str], at: int) -> int:
        found = closing.search(self._content, at)
        return found.start() if found else len(self._content)

    def _attribute(self, attribute: re.Match[str]) -> None:
        name = attribute["name"].lower()
        group = next((group for group in ("double", "single", "bare") if attribute[group]), None)
        if group is None:
            return
        start, end = attribute.span(group)
        if name in _READ_ATTRIBUTES or (name == "href" and _ADDRESSED.match(self._content, start, end)):
            copy_text(self.attributes, self._content, start, end)
            self.attributes.between("\n", end)


def copy_text(built: Builder, content: str, start: int, end: int) -> None:
    """Decode the entities of a stretch, and make runs of white space one space."""
    for first, last in _decode(built, content, start, end):
        _copy_spaced(built, content, first, last)


def copy_lines(built: Builder, content: str, start: int, end: int) -> None:
    """Decode the entities of a stretch; white space stays."""
    for first, last in _decode(built, content, start, end):
        built.copy(content[first:last], first)


def _decode(built: Builder, content: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Put entities in; what lies between them is the caller's."""
    last = start
    for entity in _ENTITY.finditer(content, start, end):
        yield last, entity.start()
        built.replace(html.unescape(entity.group()), *entity.span())
        last = entity.end()
    yield last, end


def _copy_spaced(built: Builder, content: str, start: int, end: int) -> None:
    last = start
    for white in _WHITE.finditer(content, start, end):
        built.copy(content[last : white.start()], last)
        built.replace(" ", *white.span())
        last = white.end()
    built.copy(content[last:end], last)
