"""Plain text: out of HTML, for where HTML cannot go, and on one line, for a subject."""

import re
from html.parser import HTMLParser

BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "hr"})
UNSEEN = frozenset({"style", "script", "head", "title"})
_CLOSING_TAG = re.compile(r"</[a-zA-Z]|<br\s*/?>|<!doctype html", re.I)


def looks_like_html(body: str) -> bool:
    """Whether somebody wrote HTML: a closing tag, a line break, a document type."""
    return _CLOSING_TAG.search(body) is not None


def one_line(text: str) -> str:
    """The same without line breaks, so that a subject stays one header."""
    return " ".join(text.split())


def text_of_html(html: str) -> str:
    """What a reader would see: blocks on lines of their own, links followed by where they lead."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen, self._links = 0, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self._unseen += 1
        if tag == "a":
            self._links.append(dict(attrs).get("href") or "")
        if tag in BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        if tag == "a" and self._links and (link := self._links.pop()).startswith(("http://", "https://")):
            self.parts.append(f" ({link})")
        if tag in BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data.replace("\n", " "))
