"""Notification rules: what channels add up to, failure classes, built-in templates, plain text out of HTML."""

from core.domain.notification.built_in import BUILT_IN, find_built_in
from core.domain.notification.failures import Failure, from_http, from_smtp
from core.domain.notification.plain import looks_like_html, one_line, text_of_html
from core.domain.notification.status import counts, overall, progress

__all__ = [
    "BUILT_IN",
    "Failure",
    "counts",
    "find_built_in",
    "from_http",
    "from_smtp",
    "looks_like_html",
    "one_line",
    "overall",
    "progress",
    "text_of_html",
]
