"""How long a detector may take."""

from collections.abc import Sequence
from dataclasses import dataclass

CHARACTERS = 100 * 1024
PATIENCE = 5
"""A detector that waits for a processor is given so many times its limit by the clock."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`seconds` of processor time for a short text, twice as much for one of 100 KiB, and so on."""

    seconds: float = 2.0

    def of(self, texts: Sequence[str]) -> float:
        """The seconds that one detector may take for these texts together."""
        return self.seconds * (1 + sum(map(len, texts)) / CHARACTERS)
