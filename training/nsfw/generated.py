"""Safe texts of our own making that look like what they are not: health, anatomy, art, trades, names, plain stories."""

from collections.abc import Iterator, Sequence

import numpy as np

from training.grammar import phrases_by_kind

FRAMES = 5
"""How many questions are asked about each thing."""
QUESTIONS = (
    "What is {}?", "How does {} work?", "Explain {} to a class of twelve year olds.", "Tell me about {}.",
    "Write an essay about {}.", "I have a question about {}", "Where can I read more about {}?",
    "What should I know about {}?", "Give me five facts about {}.",
    "Is there a book on {} that you would recommend?", "Summarise the history of {}.",
    "For a seminar I need a short text on {}.", "Can you help me understand {}?", "Write a leaflet about {}.",
    "My doctor mentioned {}. What does that mean?", "How do I talk to my children about {}?", "{}",
)  # fmt: skip
TASK_FRAMES = (
    "How do I {}?", "What is the best way to {}?", "How can I {}", "I need to {}. Any tips?",
    "Show me how to {} step by step.", "Is it hard to {}?", "Which tool do I use to {}?", "Why would somebody {}?",
)  # fmt: skip
# Grown-ups without exception, because the same persons stand in the intimate texts.
WHO = (
    "she", "he", "the woman", "the man", "my wife", "my husband", "the widow", "the widower", "my girlfriend",
    "my boyfriend", "the nurse", "the lawyer", "the queen", "the knight", "my boss", "the hotel manager",
    "our neighbour", "an older woman", "an older man", "her husband's friend", "the landlady", "the officer",
    "the soldier", "the baroness", "Anna", "Tom", "Maria", "James",
)  # fmt: skip
DID = (
    "opened the door", "sat down on the bed", "looked into the mirror", "took off a coat and a hat",
    "kissed the child good night", "held her hand", "put his arm around her shoulders",
    "lay on the couch and watched a film", "went to the bathroom to brush teeth", "stood in the rain with wet hair",
    "felt the cold water on the skin", "screamed with fear", "whispered a prayer", "began to cry",
    "smiled and blushed", "took a long shower after work", "woke up late", "slept until noon", "fell to the floor",
    "breathed deeply", "ran through the night", "danced all evening", "came home tired", "begged for mercy",
    "pulled the rope as hard as possible", "pushed the table against the wall", "gasped when the lights went out",
    "put on a dress", "changed clothes for dinner", "bent over the desk to read the letter",
    "knelt down to tie a shoe", "touched the old stone", "hugged everybody", "fell in love", "got married in spring",
    "had a baby", "felt a pain in the chest", "bit into an apple", "licked the ice cream", "drank too much",
    "got into a fight", "was beaten by the guards", "drew a sword", "spread the blanket on the grass",
    "rubbed tired eyes", "leaned closer to hear", "trembled with cold", "moaned about the weather",
    "sweated in the gym", "stretched both legs", "caressed the cat", "felt warm and safe", "longed for home",
    "missed her so much", "wanted more time", "was not allowed to leave", "wore a uniform and boots",
    "posed for a photo", "went swimming in the lake", "got a massage for back pain", "was alone at last",
)  # fmt: skip
JOINTS = (
    ". ", ", and ", ". Then ", ", while ", ". That night ", "; ", ". Slowly ", ". In the morning ", ". Suddenly ",
    ", because ",
)  # fmt: skip
STORY_FRAMES = (
    "{}.", "Write a story that begins: {}.", 'Continue the story: "{}."', "Summarise: {}.",
    "Translate into French: {}.", "Rewrite this in the style of a fairy tale: {}.", "Once upon a time {}.",
    "Chapter one. {}.", "Correct the grammar: {}.",
)  # fmt: skip
ROLES = (
    "detective", "wizard", "pirate", "teacher", "therapist", "chef", "vampire", "superhero", "nurse", "queen",
    "robot", "barbarian", "strict headmaster", "girlfriend who likes football", "husband", "lawyer",
    "maid in a castle", "cat", "drill sergeant", "poet",
)  # fmt: skip
ROLE_FRAMES = (
    "Act as a {}. I will ask you questions.", "I want you to play a {} in a story about friendship.",
    "Create a character sheet for a {}: looks, body, clothes, fears, skills.",
    "Write a funny dialogue between a {} and a customer.",
    "Describe the {} of my novel: age, face, hair, figure, voice.", "Write a love poem from a {} to a friend.",
    "Give me ten names for a {}.", "Write a scary scene in which a {} hurts somebody and blood flows.",
)  # fmt: skip


def look_alikes(seed: int, stories: int = 2500) -> list[str]:
    """The same texts for the same seed."""
    chance = np.random.default_rng(seed)
    roles = [frame.format(role) for role in ROLES for frame in ROLE_FRAMES]
    return [*_near(chance), *roles, *(_story(chance) for _ in range(stories))]


def _near(chance: np.random.Generator) -> Iterator[str]:
    """Questions and requests on what only looks sexual, kind by kind."""
    for kind in phrases_by_kind("look_alikes").values():
        for topic in kind["topics"]:
            yield from (frame.format(topic) for frame in _some(chance, QUESTIONS, FRAMES))
        for task in kind["tasks"]:
            yield from (frame.format(task) for frame in _some(chance, TASK_FRAMES, FRAMES))
        yield from kind["asked"] * 2


def _story(chance: np.random.Generator) -> str:
    told = ""
    for _ in range(int(chance.integers(1, 7))):
        told += (one(chance, JOINTS) if told else "") + f"{one(chance, WHO)} {one(chance, DID)}"
    return one(chance, STORY_FRAMES).format(told[0].upper() + told[1:])


def _some(chance: np.random.Generator, among: Sequence[str], how_many: int) -> list[str]:
    return [among[number] for number in chance.permutation(len(among))[:how_many]]


def one(chance: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(chance.integers(len(among)))]
