"""Rules of the audit service: what is derived, how alerts move, what the standards ask, what a report says."""

from core.domain.audit.alerts import MOVES, is_closed, may_move, why_not
from core.domain.audit.events import CLOCK_TOLERANCE, category_of, is_future, outcome_of, recorded
from core.domain.audit.reports import assemble, events_csv, figures_csv
from core.domain.audit.standards import FRAMEWORKS, SECTIONS, control_selections, section_selections

__all__ = [
    "CLOCK_TOLERANCE",
    "FRAMEWORKS",
    "MOVES",
    "SECTIONS",
    "assemble",
    "category_of",
    "control_selections",
    "events_csv",
    "figures_csv",
    "is_closed",
    "is_future",
    "may_move",
    "outcome_of",
    "recorded",
    "section_selections",
    "why_not",
]
