"""A person named inside a text or JSON that is not theirs: found, and replaced by a pseudonym.

An id such as `user_123` is unmistakable and replaced wherever it stands alone. One that could be any word (`ann`, `7`)
counts only as the whole value of a field that names people, or where a page of ours says that it does (`in_page`).
Addresses count wherever they stand.
"""

import html
import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

ERASED = "[erased]"
SHORTEST_CLEAR_ID = 6
_NAMES_PEOPLE = re.compile(
    r"(^|_)(user|actor|owner|recipient|customer|subject|account|sender|author|member|employee|person|sub)s?(_?ids?)?$|(^|_)by$|^told$"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def unmistakable(user_id: str) -> bool:
    """Whether this can hardly be anything but that user's id."""
    return len(user_id) >= SHORTEST_CLEAR_ID and bool(re.search(r"[0-9_@.:\-]", user_id))


def needle(user_id: str) -> str:
    """What a text that may name this user holds: the id, or where that could be any word, the id as a JSON string."""
    quoted = to_json(user_id).decode()
    return quoted[1:-1] if unmistakable(user_id) else quoted


def in_page(user_id: str) -> str:
    """How our pages name a person: found by an erasure even if the id could be any word, or needs escaping."""
    name = html.escape(user_id)
    return f'<span data-person="{name}">{name}</span>'


class Rewriter:
    """Takes one person's name out of texts and JSON."""

    def __init__(self, user_id: str, alias: str, addresses: Sequence[str]) -> None:
        self._user_id, self._alias = user_id, alias
        alone = rf"(?<![\w\-]){re.escape(user_id)}(?![\w\-])"
        self._id = re.compile(alone) if unmistakable(user_id) else None
        found = "|".join(re.escape(address) for address in addresses)
        self._addresses = re.compile(found, re.IGNORECASE) if found else None

    def of(self, value: Any, field: str = "") -> Any:
        """The same, with the pseudonym for the id; `field` is the name of what holds the value."""
        if isinstance(value, dict):
            return {self._key(key): self.of(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.of(inner, field) for inner in value]
        return self._text(value, field) if isinstance(value, str) else value

    def _key(self, key: str) -> str:
        return self._text(key, "") if self._id else key

    def _text(self, value: str, field: str) -> str:
        value = value.replace(in_page(self._user_id), in_page(self._alias))
        if self._id:
            value = self._id.sub(self._alias, value)
        elif value == self._user_id and names_people(field):
            value = self._alias
        return self._addresses.sub(ERASED, value) if self._addresses else value


def names_people(field: str) -> bool:
    """Whether a field of this name holds who somebody is: `user_id`, `userId`, `checked_by`, `by`, `owner`."""
    return bool(_NAMES_PEOPLE.search(_HUMP.sub("_", field).lower()))
