"""Markdown (CommonMark) without its marks; HTML inside it is read as HTML."""

import re

from core.domain.compliance.content.markup import Markup, copy_lines
from core.domain.compliance.content.parts import Part

# Each alternative is bounded or possessive, and none can begin twice at one place.
_MARK = re.compile(
    r"(?P<escape>\\(?=[!-/:-@\[-`{-~]))"
    r"|(?P<autolink><(?=[^\s<>@:]{1,200}[@:][^\s<>]{1,500}>))"
    r"|(?P<markup><(?:!--|!|\?|/?[A-Za-z]))"
    r"|(?P<link>!?\[(?P<label>[^\[\]]{0,1000}+)\]\((?P<target>[^()\s]{0,2000}+)(?:\s{1,5}\"(?P<title>[^\"]{0,1000}+)\")?\))"
    r"|(?P<quote>^[ ]{0,3}+(?:>[ ]?)++|^[ ]{0,3}+\#{1,6}[ ])"
    r"|(?P<emphasis>\*++|~~|`++|(?<!\w)_{1,3}+(?=\S)|(?<=\S)_{1,3}+(?!\w))",
    re.MULTILINE,
)


def markdown_parts(content: str) -> list[Part]:
    """Text without marks, then link targets and titles, then comments; each where there is any."""
    return _Marked(content).parts()


class _Marked(Markup):
    """Markup that knows Markdown's marks between the tags. Line breaks stay: they mean something."""

    def parts(self) -> list[Part]:
        at = 0
        while mark := _MARK.search(self._content, at):
            self.shown(at, mark.start())
            at = self._mark(mark)
        self.shown(at, len(self._content))
        return self.built()

    def shown(self, start: int, end: int) -> None:
        copy_lines(self.text, self._content, start, end)

    def _mark(self, mark: re.Match[str]) -> int:
        if mark["escape"]:
            self.shown(mark.end(), mark.end() + 1)
            return mark.end() + 1
        if mark["markup"]:
            return self.markup(mark)
        if mark["link"]:
            self._link(mark)
        return mark.end()

    def _link(self, mark: re.Match[str]) -> None:
        self.shown(*mark.span("label"))
        for group in ("target", "title"):
            if mark[group]:
                start, end = mark.span(group)
                self.attributes.copy(self._content[start:end], start)
                self.attributes.between("\n", end)
