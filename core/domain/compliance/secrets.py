"""Credentials in texts: keys and tokens in their issuers' published forms, private keys, passwords with their names."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from core.contracts.compliance import PiiEntity, Span

PUBLISHED, NAMED, SPOKEN = 1.0, 0.75, 0.6
_LONGEST = 4096
_LONGEST_KEY = 16 * 1024

# Issuers' own prefixes. Each stands with a literal that a text must hold before the pattern is tried.
_FORMS = tuple(
    (literal, re.compile(rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"))
    for literal, pattern in (
        *(("A" + kind, rf"A{kind}[A-Z0-9]{{16}}") for kind in ("KIA", "SIA", "GPA", "IDA", "ROA")),  # AWS
        *((f"gh{kind}_", rf"gh{kind}_[A-Za-z0-9]{{30,255}}") for kind in "pousr"),  # GitHub
        ("github_pat_", r"github_pat_\w{22,255}"),
        ("glpat-", r"glpat-[\w-]{20,255}"),  # GitLab
        ("xox", r"xox[abeprs]-[\w-]{10,255}"),  # Slack
        ("hooks.slack.com", r"https://hooks\.slack\.com/services/[\w/]{20,100}"),
        ("k_live_", r"[srp]k_live_[A-Za-z0-9]{10,255}"),  # Stripe
        ("k_test_", r"[sr]k_test_[A-Za-z0-9]{10,255}"),
        ("whsec_", r"whsec_[A-Za-z0-9+/]{24,255}={0,2}"),  # Standard Webhooks
        ("AIza", r"AIza[\w-]{35}"),  # Google
        ("ya29.", r"ya29\.[\w-]{20,512}"),
        ("GOCSPX-", r"GOCSPX-[\w-]{28}"),
        ("sk-", r"sk-(?:[a-z]{2,10}\d{0,2}-){0,3}+[A-Za-z0-9_]{20,255}[\w-]*+"),  # model providers
        ("SG.", r"SG\.[\w-]{22}\.[\w-]{43}"),  # SendGrid
        ("SK", r"SK[0-9a-f]{32}"),  # Twilio
        ("npm_", r"npm_[A-Za-z0-9]{36}"),
        ("pypi-", r"pypi-[\w-]{50,255}"),
        ("hf_", r"hf_[A-Za-z0-9]{30,100}"),
        ("_v1_", r"do[opr]_v1_[a-f0-9]{64}"),  # DigitalOcean
        ("shp", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),  # Shopify
        (":AA", r"\d{8,10}:AA[\w-]{33}"),  # Telegram
        ("dapi", r"dapi[0-9a-f]{32}"),  # Databricks
        ("AccountKey=", r"AccountKey=[A-Za-z0-9+/]{80,100}={0,2}"),  # Azure
        ("eyJ", r"eyJ[\w-]{10,2048}\.eyJ[\w-]{10,2048}\.[\w-]{10,1024}"),  # JSON Web Token
    )
)
_URL = re.compile(r"\b[a-z][a-z\d+.\-]{1,20}://(?P<secret>[^\s:/@\"'<>]{0,100}:[^\s/@\"'<>]{1,200}@[\w.\-]{1,253})")
_KEY_BEGINS = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,60}-----")

_NAMES = (
    r"pass(?:word|wd|phrase|code)|pwd|(?<![A-Za-z])pass(?=[\"'`]?\s{0,3}[:=])"
    r"|passwort|mot de passe|contraseña|senha|wachtwoord|secret|token|credential"
    r"|api[_ -]?key|access[_ -]?key|auth[_ -]?key|private[_ -]?key|account[_ -]?key"
)
_ASSIGNED = re.compile(
    rf"(?P<name>{_NAMES})s?(?:[_-]\w{{1,20}}+)?"
    r"[\"'`]?\s{0,3}(?:=>|:=|[=:])\s{0,3}(?P<quote>[\"'`]?)(?P<secret>[^\s\"'`,;<>(){}\[\]]{6,512}+)",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\b(?:password|passphrase|passcode|pwd)\b(?: (?:is|was|to|of|for \w{1,20} is))?:?\s(?P<quote>[\"'`‘“])?"
    r"(?P<secret>[^\s\"'`’”<>(){}\[\]]{6,100}+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(?:Bearer|Basic)\s{1,3}(?P<secret>[A-Za-z0-9+/._~-]{16,2048}={0,2})")
_HINTS = ("pass", "pwd", "secret", "token", "key", "credential", "contraseña", "senha", "wachtwoord")
_MADE_BY_MACHINES = ("secret", "token", "credential", "api", "access", "auth", "private", "account")
_NOTHING = re.compile(r"(?:\*|x|•|●|\.|_|-)+|\$.*|%.*|.*(?:environ|getenv|config\b|process\.).*", re.IGNORECASE)
_LEAST_ENTROPY = 3.0
"""Bits per character: random hexadecimal has about 3.7, random base64 more; words repeat their letters."""


def find(text: str) -> list[Span]:
    """Credentials with scores, in no order. `text` is folded already; the work is linear."""
    spans = [*_published(text), *_keys(text)]
    if "://" in text:
        spans += (_span(found, PUBLISHED) for found in _URL.finditer(text) if _is_written(found["secret"]))
    lowered = text.lower()
    if any(hint in lowered for hint in _HINTS):
        spans += _named(text)
    if "earer " in text or "asic " in text:
        spans += (_span(found, NAMED) for found in _BEARER.finditer(text) if _looks_random(found["secret"]))
    return spans


def _published(text: str) -> Iterator[Span]:
    for literal, pattern in _FORMS:
        if literal in text:
            for found in pattern.finditer(text):
                yield Span(entity=PiiEntity.SECRET, start=found.start(), end=found.end(), score=PUBLISHED)


def _keys(text: str) -> Iterator[Span]:
    """A private key in PEM; one that does not end counts as far as a key can reach."""
    if "PRIVATE KEY" not in text:
        return
    end = 0
    while begins := _KEY_BEGINS.search(text, end):
        ends = _KEY_ENDS.search(text, begins.end(), begins.end() + _LONGEST_KEY)
        end = ends.end() if ends else min(len(text), begins.end() + _LONGEST)
        yield Span(entity=PiiEntity.SECRET, start=begins.start(), end=end, score=PUBLISHED)


def _named(text: str) -> Iterator[Span]:
    for found in _ASSIGNED.finditer(text):
        likely = _looks_random if found["name"].lower().startswith(_MADE_BY_MACHINES) else _looks_chosen
        if likely(found["secret"]):
            yield _span(found, NAMED)
    for found in _SAID.finditer(text):
        if _looks_chosen(found["secret"]):
            yield _span(found, SPOKEN)


def _span(found: re.Match[str], score: float) -> Span:
    start, end = found.span("secret")
    return Span(entity=PiiEntity.SECRET, start=start, end=end, score=score)


def _is_written(userinfo: str) -> bool:
    password = userinfo.partition(":")[2].rpartition("@")[0]
    return not _NOTHING.fullmatch(password)


def _looks_chosen(value: str) -> bool:
    """A password as people choose it: letters, and figures or signs among them."""
    value = value.rstrip(".,;:!?")
    if len(value) < 6 or _NOTHING.fullmatch(value):
        return False
    letters, others = sum(map(str.isalpha, value)), sum(not char.isalpha() for char in value)
    return letters > 0 and others > 0 and not re.fullmatch(r"[A-Za-z]+(?:[-'’/.][A-Za-z]+)*", value)


def _looks_random(value: str) -> bool:
    if len(value) < 16 or _NOTHING.fullmatch(value) or not any(map(str.isdigit, value)):
        return False
    return any(map(str.isalpha, value)) and entropy(value) >= _LEAST_ENTROPY


def entropy(value: str) -> float:
    """Shannon's, in bits per character."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
