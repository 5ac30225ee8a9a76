"""Which language a text counts as, and whether a detector may judge it."""

import re
import unicodedata
from collections.abc import Collection

from core.domain.compliance.context import words

UNSUPPORTED_LANGUAGE = "unsupported_language"
"""The reason of a result that a detector does not give because it does not speak the text's language."""
ENGLISH = "en"
UNDETERMINED = "und"
"""ISO 639-2: not English for sure, and too short to say what."""
SURE = 0.97
"""From here on a guess of another language is believed: judging such a text is better than refusing an English one."""
LEAST_LETTERS, LEAST_LETTERS_NOT_LATIN = 40, 12
"""Shorter texts say too little: names, brands, exclamations."""
_MIXED = 3
"""As many English function words make a text one that an English reader understands in part."""
_FUNCTION_WORDS = words(
    "the and you that this with what your they have from would my of are is it to for be was not can if which i me",
    "we he she do but how there their will about who please",
)
_ENGLISH_ONLY = _FUNCTION_WORDS - words("is to for be was i me we he do can it are of of my die will not but how")
"""Those that no other common language of Latin letters writes the same way."""
_WELL_TOLD = words("de fr es it nl pt sv no da fi pl cs sk hu ro hr sl et lv lt sq tr az id ms tl vi ca eu sw")
_LIKE_ENGLISH = ("LATIN", "GREEK", "CYRILLIC", "MODIFIER")
"""How Unicode names letters of English, and those that look like them once compatibility forms are undone."""
_SAMPLE = 1000
_WORD = re.compile(r"[a-z']+")


def english_share(text: str) -> float:
    """The share of English function words among the text's words; over 0.2 in running English."""
    found = _WORD.findall(text.lower())
    return sum(map(_FUNCTION_WORDS.__contains__, found)) / len(found) if found else 0.0


def says_enough(text: str) -> bool:
    """Whether the text is long enough for its language to be told."""
    latin = others = 0
    for char in text:
        if char.isalpha():
            latin, others = (latin + 1, others) if char < "\u0250" else (latin, others + 1)
            if others >= LEAST_LETTERS_NOT_LATIN and others > latin:
                return True
            if latin >= LEAST_LETTERS:
                return True
    return False


def in_another_script(text: str) -> bool:
    """Whether a text has words, and none in letters that English is written in or disguised with."""
    letters = [char for char in unicodedata.normalize("NFKC", text[:_SAMPLE]) if char.isalpha()]
    return len(letters) > 1 and not any(unicodedata.name(char, "").startswith(_LIKE_ENGLISH) for char in letters)


def believed(guess: str, confidence: float, text: str) -> str | None:
    """The language that the text counts as: the guess, unless it is doubtful or much of the text is English.

    Languages of few speakers in Latin letters are what networks take slang and strings of names for.
    """
    if guess == ENGLISH:
        return ENGLISH
    if confidence < SURE or not says_enough(text):
        return None
    if _mostly_latin(text) and guess not in _WELL_TOLD:
        return None
    english = sum(word in _ENGLISH_ONLY for word in _WORD.findall(text.lower()))
    return None if english >= _MIXED else guess


def _mostly_latin(text: str) -> bool:
    letters = [char for char in text[:_SAMPLE] if char.isalpha()]
    return sum(char < "\u0250" for char in letters) * 2 >= len(letters)


def supported(language: str | None, detector_languages: Collection[str]) -> bool:
    """Whether a detector may judge a text of this language. None (short, mixed, no letters) is for every detector."""
    return language is None or language in detector_languages
