"""What there is to read in text, prompts, HTML, Markdown and JSON, and where it stands.

Everything is linear in the content and keeps no tree: neither depth nor number of elements can exhaust a process.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from core.domain.compliance.content.jsontext import MAX_DEPTH, json_parts
from core.domain.compliance.content.markdown import markdown_parts
from core.domain.compliance.content.markup import html_parts
from core.domain.compliance.content.parts import Builder, ContentFault, Extracted, Part, Place

__all__ = ["CONTENT_TYPES", "MAX_DEPTH", "ContentFault", "Extracted", "Part", "Place", "extract", "texts_of"]


def _plain(content: str) -> list[Part]:
    whole = Builder("")
    whole.copy(content, 0)
    return [whole.part()]


_READERS: Mapping[str, Callable[[str], list[Part]]] = MappingProxyType(
    {"text": _plain, "prompt": _plain, "html": html_parts, "markdown": markdown_parts, "json": json_parts}
)
CONTENT_TYPES = tuple(_READERS)
"""What can be read; any other type is the caller's 415."""


def texts_of(content_type: str, content: str) -> list[Part]:
    """The texts in the content, each with its path and the way back to original offsets.

    ContentFault with code `content_malformed` (it is no JSON) or `content_too_deep` (over MAX_DEPTH levels). KeyError
    for a type that is not of CONTENT_TYPES.
    """
    return _READERS[content_type](content)


def extract(content_type: str, content: str) -> Extracted:
    """The same as one text for the detectors; faults as in `texts_of`."""
    return Extracted(texts_of(content_type, content))
