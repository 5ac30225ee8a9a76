"""Sexual texts of our own making, in the words of novels and of requests, told in the frames of the plain ones.

Plain and intimate texts share persons, frames and joints, so that only what happens in them can tell them apart.
"""

from collections.abc import Sequence

import numpy as np

from training.nsfw.generated import DID, JOINTS, STORY_FRAMES, WHO, one

INTIMATE = (
    "made love until dawn", "made passionate love on the floor", "had sex on the table", "had sex twice that night",
    "undressed slowly in front of the camera", "slipped out of the dress and stood there naked",
    "let the robe fall, wearing nothing", "took off all clothes and lay down naked",
    "pulled down the zipper and reached inside the trousers", "unhooked the bra",
    "unbuttoned the blouse to show bare breasts", "kissed her bare breasts", "sucked a nipple",
    "caressed the naked body", "slid a hand under her skirt", "slid a hand between her thighs",
    "spread her legs and waited", "opened her legs for him", "felt the erection through the jeans",
    "touched herself under the sheets", "masturbated in the shower", "reached an orgasm",
    "came with a cry of pleasure", "climaxed again and again", "moaned with pleasure",
    "moaned louder at every thrust", "groaned as he entered her from behind", "thrust deeper and faster inside her",
    "begged to be taken right there", "was wet and aroused", "was so horny that it hurt", "trembled with lust",
    "wanted to feel him inside", "licked her thighs and higher", "went down on her", "took him in the mouth",
    "swallowed it all on both knees", "rode him until both climaxed", "was spanked on the bare bottom",
    "was tied to the bed naked and used", "knelt naked before the master", "obeyed like a sex slave",
    "joined a threesome", "watched the couple having sex", "was seduced by a colleague", "seduced the landlord",
    "cheated with a colleague in bed", "spent a night of lust", "gave a lap dance wearing only a thong",
    "did a striptease for the guests", "posed nude on the bed", "squeezed her firm buttocks",
    "grabbed her by the hips and penetrated her", "pressed naked skin against naked skin",
    "fondled the breasts and the buttocks", "sent nude selfies to a stranger",
    "undressed the maid with hungry eyes and hands", "rubbed oil over her naked breasts",
    "shared the wife with a friend", "enjoyed the intercourse", "felt semen on the skin",
    "used a vibrator in front of everybody", "played with her own nipples", "stripped down to the panties",
    "wanted to be dominated in bed",
)  # fmt: skip
REQUESTED = (
    "an erotic story", "a steamy love scene", "an explicit sex scene", "a sexual fantasy", "erotic fan fiction",
    "a smutty chapter", "a bdsm scene", "a pornographic script", "a porn plot", "a dirty joke about sex",
    "a sexy roleplay", "an adult roleplay with nudity", "a seduction that ends in bed", "a kinky dream",
    "a striptease", "a nude photo shoot with an adult model", "an orgy of adults", "a threesome",
    "a sexual encounter in the office", "a lesbian sex scene", "a gay sex scene", "an affair full of lust",
    "a femdom session with a slave", "phone sex", "sexting with a stranger",
    "naughty texts for a lover", "a succubus and her naked victim", "a camgirl show",
    "an escort and her client in bed", "a voyeur and a naked neighbour", "a swingers party", "oral sex",
    "a hot erotic massage", "tentacle porn", "a furry in heat, not safe for work",
    "anal sex",
)  # fmt: skip
REQUESTS = (
    "Write {} about {}.", "Give me {} with {}.", "I want {} in which {} is the main character.",
    "Describe {} with {} in detail.", "Create {} for an adult site, starring {}.", "Let's do {}. You are {}.",
    "Continue {} between {} and a stranger.", "Make {} longer, more explicit, about {}.",
    "Generate ten titles for {} with {}.",
)  # fmt: skip
PLAIN_REQUESTED = (
    "a funny story", "a sad love story", "a scene at a wedding", "a travel plan", "a fantasy", "fan fiction",
    "a thrilling chapter", "a fight scene", "a film script", "a crime plot", "a joke about lawyers", "a roleplay",
    "a dungeon roleplay with monsters", "a court trial", "a strange dream", "a dance show",
    "a photo shoot with a young chef", "a party", "a duel", "a job interview", "a meeting in the office",
    "a lesbian couple adopting a child", "a gay couple buying a house", "an affair of state", "a mystery",
    "a training session with a coach", "a phone call", "letters to a stranger", "thank-you texts for a friend",
    "a vampire and her frightened victim", "a cooking show", "a guard and her client", "a detective and a neighbour",
    "a birthday party", "a history lesson", "a massage parlour robbery", "a school for wizards", "a monster attack",
    "a dog in summer heat", "a marathon",
)  # fmt: skip


def intimate_texts(seed: int, stories: int = 6000) -> tuple[list[str], list[int]]:
    """Texts, and which of them are sexual; the same for the same seed."""
    chance = np.random.default_rng(seed)
    told = [(_story(chance), 1) for _ in range(stories)]
    asked = [(_request(chance, REQUESTED), 1) for _ in range(stories // 4)]
    plain = [(_request(chance, PLAIN_REQUESTED), 0) for _ in range(stories // 4)]
    texts, labels = zip(*(*told, *asked, *plain), strict=True)
    return list(texts), list(labels)


def _story(chance: np.random.Generator) -> str:
    """One to three intimate things happen among up to four plain ones."""
    count = int(chance.integers(1, 4))
    happened = [one(chance, INTIMATE) for _ in range(count)] + [
        one(chance, DID) for _ in range(int(chance.integers(0, 5)))
    ]
    told = ""
    for number in chance.permutation(len(happened)):
        told += (one(chance, JOINTS) if told else "") + f"{one(chance, WHO)} {happened[number]}"
    return one(chance, STORY_FRAMES).format(told[0].upper() + told[1:])


def _request(chance: np.random.Generator, what: Sequence[str]) -> str:
    return one(chance, REQUESTS).format(one(chance, what), one(chance, WHO))
