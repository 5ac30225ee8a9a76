"""Short messages of our own making, wanted and unwanted in the same frames, so that a link alone is no advertising.

In the data a message with a link or a number is nearly always spam, and what people send each other at work is missing.
"""

import random
from collections.abc import Callable, Mapping

import numpy as np

from training.data import TextSet
from training.grammar import Grammar, Phrases

ORDINARY = "ordinary"
_HOSTS = (
    *(
        "github.com",
        "docs.google.com",
        "arxiv.org",
        "en.wikipedia.org",
        "www.bbc.co.uk",
        "zoom.us",
        "youtu.be",
        "bit.ly",
    ),
    *(
        "www.youtube.com",
        "maps.app.goo.gl",
        "wiki.corp.example",
        "jira.example.com",
        "grafana.internal",
        "localhost:3000",
    ),
    *("www.nytimes.com", "stackoverflow.com", "drive.google.com", "www.ikea.com", "www.airbnb.com", "db.example.org"),
    *("news.ycombinator.com", "pypi.org", "meet.google.com", "t.co", "www.strava.com", "open.spotify.com", "notion.so"),
    *("www.amazon.co.uk", "school.example.edu", "www.npmjs.com", "calendar.example.net", "www.bahn.de", "tinyurl.com"),
)
_WORDS = (
    *(
        "plan",
        "report",
        "issues",
        "pull",
        "team",
        "photos",
        "view",
        "abs",
        "docs",
        "news",
        "item",
        "map",
        "room",
        "watch",
    ),
    *(
        "user",
        "list",
        "sign",
        "doc",
        "release",
        "song",
        "board",
        "form",
        "deals",
        "free",
        "win",
        "shop",
        "page",
        "index",
    ),
)


def ordinary(each: int, seed: int) -> TextSet:
    """`each` different messages of either kind."""
    chance = random.Random(seed)
    grammar = Grammar("messages", more=_slots(chance))
    wanted, unwanted = (grammar.several(kind, each, chance) for kind in ("wanted", "unwanted"))
    labels = np.repeat([0, 1], [len(wanted), len(unwanted)]).astype(np.int64)
    return TextSet(ORDINARY, [*wanted, *unwanted], labels)


def _slots(chance: random.Random) -> Phrases:
    """Links, addresses and numbers, as many of each as make no single one telling."""
    return {name: [make(chance) for _ in range(400)] for name, make in _MADE.items()}


def _link(chance: random.Random) -> str:
    steps = [_step(chance) for _ in range(chance.randrange(4))]
    return chance.choice(("https://", "https://", "http://", "", "www.")) + "/".join([chance.choice(_HOSTS), *steps])


def _step(chance: random.Random) -> str:
    if chance.random() < 0.6:
        return chance.choice(_WORDS)
    return chance.choice(
        (f"{chance.randrange(10_000)}", f"{chance.randrange(16**7):07x}", f"?id={chance.randrange(999)}")
    )


def _mail(chance: random.Random) -> str:
    host = chance.choice(("example.com", "example.org", "gmail.com", "yahoo.com", "corp.example", "school.example.edu"))
    return f"{chance.choice(('ana', 'tom.lee', 'info', 'office', 'j.moser', 'help', 'priya', 'agent', 'sam92'))}@{host}"


def _phone(chance: random.Random) -> str:
    digits = "".join(chance.choice("0123456789") for _ in range(9))
    forms = ("0{}", "+44 {}", "555-{}", "07{}", "+1 415 {}", "0800 {}", "({})")
    return chance.choice(forms).format(f"{digits[:5]}{chance.choice(('', ' '))}{digits[5:]}")


def _money(chance: random.Random) -> str:
    amount = chance.choice((chance.randrange(3, 99), chance.randrange(100, 5000), f"{chance.randrange(40)}.50"))
    return chance.choice(("£{}", "${}", "{} EUR", "€{}", "{} euros", "{} dollars")).format(amount)


def _code(chance: random.Random) -> str:
    return chance.choice(("#{}", "{}", "AB{}", "v{}", "no. {}", "OPS-{}")).format(chance.randrange(10, 99_999))


_MADE: Mapping[str, Callable[[random.Random], str]] = {
    "link": _link,
    "mail": _mail,
    "phone": _phone,
    "money": _money,
    "code": _code,
    "number": lambda chance: str(chance.randrange(10 ** chance.randrange(1, 20))),
    "small": lambda chance: str(chance.randrange(1, 9999)),
    "few": lambda chance: str(chance.randrange(2, 10)),
}
