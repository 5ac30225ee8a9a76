"""RE2: regular expressions from customers, matched in time linear in the text whatever the expression."""

import re2  # type: ignore[import-untyped]  # it brings no types

from core.domain.compliance.lists import Pattern, PatternFault

MAX_PROGRAM_BYTES = 1024 * 1024


class _Re2:
    def __init__(self, expression: str) -> None:
        options = re2.Options()
        options.log_errors, options.max_mem = False, MAX_PROGRAM_BYTES
        try:
            self._compiled = re2.compile(expression, options)
        except re2.error as error:
            raise PatternFault(_told(error)) from error

    def search(self, text: str) -> bool:
        return self._compiled.search(text) is not None

    def fullmatch(self, text: str) -> bool:
        return self._compiled.fullmatch(text) is not None


def compiled(expression: str) -> Pattern:
    """The expression, ready to match. PatternFault if it is none, or takes too much to compile."""
    return _Re2(expression)


def _told(error: Exception) -> str:
    told = error.args[0] if error.args else "not a regular expression"
    return told.decode(errors="replace") if isinstance(told, bytes) else str(told)
