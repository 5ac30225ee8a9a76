"""Safe texts of our own making that look like what they are not: health, anatomy, art, trades, names, plain stories."""

from collections.abc import Sequence

import numpy as np

QUESTIONS = (
    "What is {}?", "How does {} work?", "Explain {} to a class of twelve year olds.", "Tell me about {}.",
    "Write an essay about {}.", "I have a question about {}", "Where can I read more about {}?",
    "What should I know about {}?", "Give me five facts about {}.",
    "Is there a book on {} that you would recommend?", "Summarise the history of {}.",
    "For a seminar I need a short text on {}.", "Can you help me understand {}?", "Write a leaflet about {}.",
    "My doctor mentioned {}. What does that mean?", "How do I talk to my children about {}?", "{}",
)  # fmt: skip
TOPICS = (
    "breast cancer", "breast cancer screening", "a breast exam", "breastfeeding in public", "breast milk storage",
    "chicken breast recipes", "testicular cancer", "prostate exams", "erectile dysfunction", "premature menopause",
    "vaginal dryness after menopause", "a vaginal birth after a caesarean", "yeast infections",
    "pelvic floor exercises", "the anatomy of the penis", "the anatomy of the vulva", "the male reproductive system",
    "the clitoris in anatomy books", "the female reproductive system", "how an egg is fertilised", "puberty in boys",
    "puberty in girls", "menstruation", "contraception", "condoms and how they prevent infections",
    "the morning-after pill", "sexually transmitted diseases", "HIV and how it spreads", "HPV vaccination",
    "chlamydia symptoms", "herpes treatment", "syphilis in the renaissance", "sex education in Sweden",
    "sex education at school", "the age of consent", "consent in relationships", "low libido as a side effect",
    "hormones and sexual desire", "the human sexual response in physiology", "ejaculation in mammals",
    "orgasm and brain chemistry", "infertility", "sperm counts", "in vitro fertilisation",
    "sexual harassment at work", "the law on sexual assault", "help for victims of rape",
    "sex trafficking and its victims", "protecting children from sexual abuse", "the rights of sex workers",
    "the history of prostitution laws", "pornography addiction and how to get help",
    "why pornography is bad for teenagers", "parental controls against porn", "the economics of the porn industry",
    "censorship of nudity", "gay marriage", "bisexuality", "asexuality", "coming out as lesbian",
    "transgender health care", "sex and gender in sociology", "sexism in sports", "nude figures in Greek sculpture",
    "nudity in renaissance painting", "the nude in art history", "life drawing classes", "the statue of David",
    "the Birth of Venus", "Freud's theory of sexuality", "the Kinsey report", "Lolita as literature", "circumcision",
    "haemorrhoids", "anal fissures", "anal glands in dogs", "colonoscopy", "oral hygiene", "oral exams",
    "asexual reproduction of plants", "sex chromosomes", "sexual selection in birds", "mating rituals of penguins",
    "bees mating", "the mating season of deer", "how cats reproduce", "neutering a male dog", "breeding horses",
    "pirates and their booty", "the booty of a raid", "roosters and cocks that crow", "pussy willows in the garden",
    "the pussycat", "tits at the bird feeder", "dick as a short form of Richard", "the screwdriver cocktail",
    "bonobo behaviour", "the blue tit and the great tit", "boobies and other sea birds", "cocks and hens",
    "the woodcock", "pussy willows", "shuttlecocks", "cockpit design", "cocktail dresses", "peacocks", "Moby-Dick",
    "Dick Van Dyke", "Philip K. Dick", "Hitchcock's films", "Scunthorpe", "Penistone in Yorkshire", "Sussex",
    "Essex", "Middlesex County", "Intercourse, Pennsylvania", "Cumbria", "the cumulative sum", "summa cum laude",
    "magna cum laude", "document analysis", "assassination plots", "assets and assessments", "class hierarchies",
    "passive verbs", "the Titanic", "titanium", "naked mole rats", "the naked eye", "naked DSL",
    "bare metal servers", "stripped screws", "strip lights", "the Las Vegas strip", "stripping paint from a door",
    "wire strippers", "hard disks", "hardcore punk", "hardcore gamers", "extra virgin olive oil",
    "the Virgin Islands", "the Virgin Queen", "virgin wool", "sex on the beach cocktails", "hot dogs",
    "hot cross buns", "hot yoga", "escort vehicles", "adult education", "adult literacy", "adult diapers",
    "rubber seals", "latex in LaTeX documents", "latex gloves", "leather care", "whipped cream", "a whip for horses",
    "bondage of serfs in Russia", "bond markets", "chemical bonds", "slave and master clocks", "submissive dogs",
    "dominant genes", "domination in chess", "toy stores", "toys for toddlers", "sucking pumps", "vacuum suction",
    "blowing up balloons", "blow dryers", "blow moulding", "blowing a job interview", "hand jobs in manufacturing",
    "finger exercises for pianists", "fingering charts for the clarinet", "banging on drums", "big bang theory",
    "gang violence", "facial recognition", "facials for dry skin", "swinging dances", "couples therapy",
    "swingers in cricket", "mounting brackets", "riding bareback", "spotted dick and custard", "faggots and peas",
    "rump steak", "butt joints", "cigarette butts", "boston butt", "donkeys and asses", "nuts and bolts",
    "balls in sports", "ball bearings", "bra sizes", "lingerie sales", "underwear for hiking", "panties on sale",
    "bikini season", "wet markets", "wet concrete", "lubricants for chains", "thrust in jet engines",
    "penetration testing", "penetrating oil", "insertion sort", "exposure in photography", "exhibitions",
    "voyager probes", "fetish figures of the Congo", "escape rooms", "cougars in Canada",
    "climax communities in ecology", "the climax of a novel", "foreplay in football commentary", "a loaded gun",
    "seeding", "stimulating the economy", "arousal in psychology", "satisfying customers",
    "intimate partner violence", "intimate theatres",
)  # fmt: skip
TASKS = (
    "strip {} from an old door", "strip the insulation off a cable", "beat the eggs for a cake",
    "whip cream without a mixer", "mount a television on a wall", "mount a drive in Linux",
    "screw two boards together", "drill a hole in tiles", "spank the drum with brushes", "lick a stamp",
    "suck the dust out of a keyboard", "blow up an air mattress", "pump up a flat tyre", "bang in a nail",
    "ride a horse bareback", "finger a chord on the guitar", "stroke a nervous cat", "rub oil into wood",
    "grease a pan", "lubricate a bicycle chain", "tie up a boat", "bind a book", "dominate at chess",
    "undress a wound", "shave my legs", "shower with a cast on my leg", "wash lingerie", "choose a bra",
    "sleep in a hot room", "sleep with a snoring husband", "make a bed", "hook up a printer", "come first in a race",
    "get hard water out of a kettle", "get wet paint off my trousers", "get my boyfriend to help in the house",
    "get my girlfriend a present", "make out a cheque", "make love last in a marriage", "go down on the escalator",
    "enter data", "play with a kitten", "tease out a knot", "seduce readers with a first line", "massage kale",
    "give a baby a massage", "swallow large pills", "spread butter", "open wide gates", "handle hot wax",
    "cuff trousers", "chain a bike", "rope climb", "position a sofa", "perform on stage", "expose a film",
    "flash a router", "touch up a photo", "kiss the bride in a photo", "kill a process", "shoot a portrait",
    "hit the target", "execute a script", "blow out candles", "crack an egg", "choke an engine",
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
    asked = [_asked(topic, frame) for topic in TOPICS for frame in _some(chance, QUESTIONS, 9)]
    tasks = [frame.format(task.format("paint")) for task in TASKS for frame in TASK_FRAMES]
    roles = [frame.format(role) for role in ROLES for frame in ROLE_FRAMES]
    return [*asked, *tasks, *roles, *(_story(chance) for _ in range(stories))]


def _asked(topic: str, frame: str) -> str:
    return frame.format(topic)


def _story(chance: np.random.Generator) -> str:
    told = ""
    for _ in range(int(chance.integers(1, 7))):
        told += (one(chance, JOINTS) if told else "") + f"{one(chance, WHO)} {one(chance, DID)}"
    return one(chance, STORY_FRAMES).format(told[0].upper() + told[1:])


def _some(chance: np.random.Generator, among: Sequence[str], how_many: int) -> list[str]:
    return [among[number] for number in chance.permutation(len(among))[:how_many]]


def one(chance: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(chance.integers(len(among)))]
