"""Words and sentences of real harmless texts: they fill templates, and show an attack's words in innocent use."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from core.adapters.classifiers.windows import sentences

_NOUN = re.compile(r"\b(?:the|a|an|my|this) ([a-z]{3,12})(?= (?:is|was|of|in|and|for|to|that|on|with|has)\b|[.,?!])")
_WORD = re.compile(r"[A-Za-z']+")
_PLAIN_LINE = re.compile(r"[A-Z][\w ,;'\-]{30,160}[.!?]\Z", re.ASCII)
_LEAST_TIMES = 2
_LONGEST = 300


def nouns(texts: Iterable[str]) -> list[str]:
    """What mostly are nouns, each seen a few times, in the order of the alphabet."""
    counts = Counter(found for text in texts for found in _NOUN.findall(text))
    return sorted(word for word, times in counts.items() if times >= _LEAST_TIMES)


def lines(texts: Iterable[str]) -> list[str]:
    """Plain sentences of middle length."""
    return sorted({one for text in texts for one in _sentences(text) if _PLAIN_LINE.match(one)})


def with_words(texts: Iterable[str], words: frozenset[str], *, least: int) -> list[str]:
    """Sentences that hold at least so many different words of these."""
    found = {
        one
        for text in texts
        for one in _sentences(text)
        if len(one) <= _LONGEST and len(words & {word.lower() for word in _WORD.findall(one)}) >= least
    }
    return sorted(found)


def sprinkled(text: str, words: Sequence[str], chance: random.Random, *, most: int = 3) -> str:
    """The text with one to a few of its longer words replaced by these: single words then prove nothing."""
    places = [match.span() for match in _WORD.finditer(text) if match.end() - match.start() > 3]
    for start, end in sorted(chance.sample(places, min(chance.randint(1, most), len(places))), reverse=True):
        text = text[:start] + chance.choice(words) + text[end:]
    return text


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text, 0, len(text))]
