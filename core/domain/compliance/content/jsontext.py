"""String values, keys and numbers of JSON (RFC 8259) with their paths, without recursion."""

import json
import re
from dataclasses import dataclass

from core.domain.compliance.content.parts import Builder, ContentFault, Part

MAX_DEPTH = 200
"""Levels of objects and arrays: more than any document of people, less than a parser's stack."""
_FEWEST_DIGITS = 6
"""A shorter number is nobody's phone or card."""
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|[^\s{}\[\]:,"]++', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[\da-fA-F]{4}|\\.", re.DOTALL)
_SIMPLE_KEY = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
_LONGEST_KEY = 200
_LONGEST_PATH = 500


@dataclass(slots=True)
class _Level:
    """An object or array that is open: where in it we are."""

    is_object: bool
    path: str
    key: str = ""
    context: str = ""
    index: int = 0
    at_key: bool = False

    def here(self) -> str:
        """The path of what stands here; a very long one breaks off."""
        if len(self.path) > _LONGEST_PATH:
            return self.path if self.path.endswith("…") else f"{self.path}…"
        if not self.is_object:
            return f"{self.path}[{self.index}]"
        return f"{self.path}.{self.key}" if _SIMPLE_KEY.fullmatch(self.key) else f"{self.path}[{json.dumps(self.key)}]"


def json_parts(content: str) -> list[Part]:
    """One part for each string and each longer number. A value's text begins with its key: `ssn: 219-09-9999`.

    The key is there because it says what the value is, to people and to detectors. Keys of objects and arrays, which
    stand before no text, are parts of their own.
    """
    _check_depth(content)
    try:
        json.loads(content, parse_int=str, parse_float=str)
    except ValueError as error:
        raise ContentFault("content_malformed", f"The content is not JSON: {error}.") from error
    return _Walk(content).parts()


def _check_depth(content: str) -> None:
    depth = 0
    for match in _TOKEN.finditer(content):
        if (token := match.group()) in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise ContentFault(
                    "content_too_deep", f"The content nests over {MAX_DEPTH} levels deep: send its parts by themselves."
                )
        elif token in "}]":
            depth -= 1


class _Walk:
    """Over the tokens of content that is known to be JSON."""

    def __init__(self, content: str) -> None:
        self._content = content
        self._levels: list[_Level] = []
        self._parts: list[Part] = []
        self._key: re.Match[str] | None = None
        self._spare = len(content)  # how much may be said twice, so that the texts are at most twice the content

    def parts(self) -> list[Part]:
        for match in _TOKEN.finditer(self._content):
            self._take(match.group(), match)
        return self._parts

    def _take(self, token: str, match: re.Match[str]) -> None:
        if token in "{[":
            self._open(token == "{")
        elif token in "}]":
            self._levels.pop()
        elif token == ",":
            self._next()
        elif token == ":":
            self._levels[-1].at_key = False
        elif self._levels and self._levels[-1].at_key:
            self._take_key(match)
        else:
            self._take_value(token, match)

    def _open(self, is_object: bool) -> None:
        parent = self._levels[-1] if self._levels else None
        if self._key:
            self._parts.append(self._text(self._key, key=None))
            self._key = None
        path, context = (parent.here(), parent.context) if parent else ("$", "")
        self._levels.append(_Level(is_object, path, context=context, at_key=is_object))

    def _next(self) -> None:
        level = self._levels[-1]
        level.index += 1
        level.at_key = level.is_object

    def _take_key(self, match: re.Match[str]) -> None:
        level = self._levels[-1]
        level.key = level.context = _decoded(match.group())[:_LONGEST_KEY]
        self._key = match

    def _take_value(self, token: str, match: re.Match[str]) -> None:
        readable = token.startswith('"') or sum(char.isdigit() for char in token) >= _FEWEST_DIGITS
        if readable or self._key:
            self._parts.append(
                self._text(match if readable else self._key or match, key=self._key if readable else None)
            )
        self._key = None

    def _text(self, match: re.Match[str], *, key: re.Match[str] | None) -> Part:
        level = self._levels[-1] if self._levels else None
        built = Builder(level.here() if level else "$")
        if key:
            _copy(built, key)
            built.between(": ", match.start())
        elif level and not level.is_object and 0 < len(level.context) < self._spare:
            self._spare -= len(level.context)
            built.between(f"{level.context}: ", match.start())
        _copy(built, match)
        return built.part()


def _copy(built: Builder, match: re.Match[str]) -> None:
    """A string without its quotes and escapes, or a number."""
    token, at = match.group(), match.start()
    if not token.startswith('"'):
        built.copy(token, at)
        return
    last = 1
    for escape in _ESCAPE.finditer(token, 1, len(token) - 1):
        built.copy(token[last : escape.start()], at + last)
        built.replace(_decoded(f'"{escape.group()}"'), at + escape.start(), at + escape.end())
        last = escape.end()
    built.copy(token[last:-1], at + last)


def _decoded(token: str) -> str:
    """Half of a surrogate pair is no character: U+FFFD stands for it, so that the text can be encoded."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", str(json.loads(token)))
