"""Texts for the measurements: a hundred words each, all different, written by a seeded generator of our own."""

import random
from collections.abc import Iterator

SEED, WORDS = 20261125, 100
SUBJECTS = (
    "the delivery", "our invoice", "your colleague", "the meeting", "this release", "the garden", "a customer",
    "the library", "my neighbour", "the schedule", "their engineer", "the report", "the kitchen", "a volunteer",
)  # fmt: skip
VERBS = (
    "arrived before", "was moved to", "mentions", "reminds everyone of", "depends on", "was written for", "replaces",
    "explains", "came back from", "is waiting for", "goes well with", "belongs to",
)  # fmt: skip
OBJECTS = (
    "the end of the month", "a quiet afternoon", "the second floor", "several open questions", "the new contract",
    "last year's figures", "an early train", "the shared calendar", "two boxes of paper", "the school holidays",
    "a longer explanation", "the usual address",
)  # fmt: skip
LINKS = ("and", "although", "because", "while", "so", "but later", "which is why")
PERSONAL = ("Write to {name}.{n}@example.com.", "Call 212-555-{n:04d} after six.", "")
NAMES = ("ann", "ben", "chris", "dana", "eli")


def hundred_words(count: int, *, seed: int = SEED) -> list[str]:
    """So many texts of about a hundred words; a third holds an e-mail address, a third a phone number."""
    made = random.Random(seed)
    return [_text(made, number) for number in range(count)]


def _text(made: random.Random, number: int) -> str:
    words = [*_clauses(made, number)]
    personal = PERSONAL[number % len(PERSONAL)].format(name=made.choice(NAMES), n=number % 10_000)
    return f"{' '.join(words)}. {personal}".strip()


def _clauses(made: random.Random, number: int) -> Iterator[str]:
    yield from (f"Note {number}:", made.choice(SUBJECTS))
    length = 4
    while length < WORDS:
        clause = f"{made.choice(VERBS)} {made.choice(OBJECTS)} {made.choice(LINKS)} {made.choice(SUBJECTS)}"
        length += len(clause.split())
        yield clause
