"""Reviews moved by people and by the clock, and who hears of it: what front door and worker share."""

from core.compliance.reviews.moves import Move, People, Reviews
from core.compliance.reviews.telling import news, state_of, votes_of

__all__ = ["Move", "People", "Reviews", "news", "state_of", "votes_of"]
