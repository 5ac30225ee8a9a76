"""Past checks judged again."""

from datetime import datetime
from typing import Any

from pydantic import Field

from isa_user._models.base import Result, WorkResult


class StatusMove(Result):
    """So many checks that had the status `before` would have the status `after`."""

    before: str
    after: str
    count: int


class TypeFlips(Result):
    """In how many checks a type would be flagged anew, or no longer."""

    newly_flagged: int
    no_longer_flagged: int


class ChangedCheck(Result):
    """A check that would have another outcome."""

    check_id: str
    before: str
    after: str
    newly_flagged: list[str]
    no_longer_flagged: list[str]


class RescoreFigures(Result):
    """What would change; `changed` counts checks with another status."""

    rescored: int
    changed: int
    moves: list[StatusMove]
    by_type: dict[str, TypeFlips]
    examples: list[ChangedCheck]


class Rescore(WorkResult):
    """A re-score and what it found so far. `policy` is None where a draft judged."""

    rescore_id: str
    status: str
    policy: str | None
    policy_version: int | None
    draft: dict[str, Any] | None
    run_detectors: bool
    of_policy: str | None
    from_date: datetime | None = Field(alias="from")
    to_date: datetime | None = Field(alias="to")
    limit: int
    total: int
    percent: int
    result: RescoreFigures
    requested_by: str
    correlation_id: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self.status in {"completed", "cancelled"}
