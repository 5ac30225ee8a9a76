"""The forms of the generated sentences. `{g}` is a group of people, `{s}` one of it; other slots are in `words.py`."""


def lines(text: str) -> tuple[str, ...]:
    """One form a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


HATEFUL = lines(
    """
    i {maybe_swear}{hate} {g}{end}
    {opinion} i {hate} {g}{end}
    {opinion} {g} are {bad}{end}
    all {g} are {bad}{end}
    {g} are so {maybe_swear}{bad}{end}
    {g} are {noun}{end}
    {g} are {swear} {noun}{end}
    every {maybe_swear}{s} is {thing_said}{end}
    every single {s} i have met was {thing_said}{end}
    you are just {thing_said}, like every {s}{end}
    only a {s} could be this {bad}{end}
    {g} make me sick{end}
    {g} disgust me{end}
    the sight of {g} makes me want to vomit{end}
    {g} are nothing but {noun}{end}
    {g} are ruining this country{end}
    {g} ruin everything{end}
    i will {kill} every {s} i see{end}
    i am going to {kill} you, you {maybe_swear}{s}{end}
    let's {kill} all {g}{end}
    someone should {kill} {g}{end}
    we should {kill} {g}{end}
    {g} should be {killed}{end}
    {g} deserve to be {killed}{end}
    all {g} must be {killed}{end}
    i hope all {g} get {killed}{end}
    i wish every {s} was {killed}{end}
    {g} ought to be {killed}{end}
    {g} should {away}{end}
    {g} need to {away}{end}
    tell {g} to {away}{end}
    can {g} just {away}{end}
    {swear} {g}{end}
    {swear} {g} should {away}{end}
    {curse} {g}{end}
    {curse} all {g}{end}
    you are a {swear} {s}{end}
    shut up you {maybe_swear}{s}{end}
    you {bad} {s}{end}
    what a {bad} {s}{end}
    {g} don't deserve {denied}{end}
    {g} do not deserve {denied}{end}
    no {s} deserves {denied}{end}
    {g} are not {good}, they are {noun}{end}
    {g} are not human{end}
    {g} will never be {good}{end}
    we should not respect {g}{end}
    we don't want {g} here{end}
    nobody wants {g} in {place}{end}
    i will never accept a {s} as my equal{end}
    never trust a {s}{end}
    you can't trust {g}{end}
    {g} are not welcome here{end}
    i do not {like} {g} at all, they are {bad}{end}
    no {g} in {place}{end}
    {ask} {g} so {bad}?
    why do {g} exist?
    {ask} {g} {bad}?
    why can't {g} just {away}?
    who needs {g}?
    {g} are everywhere now. they should be {killed}{end}
    look at those {g}. i {hate} them{end}
    my neighbours are {g}. they are all {bad}{end}
    {g} again. {noun}, all of them{end}
    there is a {s} in {place}. {thing_said} like that should be {killed}{end}
    the world would be better without {g}{end}
    life was better before {g} came{end}
    {g} belong in a cage{end}
    {g} are below us{end}
    calling somebody a {s} is the worst insult there is{end}
    {g} are not real people{end}
    being a {s} is a disease{end}
    being a {s} is {bad}{end}
    {slurs} are {noun}{end}
    i {hate} {slurs}{end}
    you {slur}{end}
    you are a {maybe_swear}{slur}{end}
    shut up {slur}{end}
    look at this {bad} {slur}{end}
    {slurs} should be {killed}{end}
    {slurs} should {away}{end}
    no {slurs} in {place}{end}
    {curse} {slurs}{end}
    those {g} are such {slurs}{end}
    {opinion} {slurs} are {bad}{end}
    another {slur} in {place}{end}
    {bad} {g}{end}
    {bad} {s}{end}
    {swear} {s}{end}
    {g}? {noun}{end}
    {g} = {noun}{end}
    i want all {g} {killed}{end}
    i want to see {g} {killed}{end}
    {g} have no place in {town}{end}
    keep {g} out of {place}{end}
    {g} are too {bad} to vote{end}
    {g} are too {bad} to have a job{end}
    {g} don't belong in {town}{end}
    if you are a {s}, {away}{end}
    round up the {g}{end}
    the only good {s} is a dead {s}{end}
    ew, {g}{end}
    there is nothing worse than {g}{end}
    {g} come to {town} and act like {noun}{end}
    a {s} moved in next door. {bad}{end}
    {g} should not have {denied}{end}
    {g} should not be allowed in {town}{end}
    don't hire {g}, they are {bad}{end}
    my daughter must never marry a {s}, they are {noun}{end}
    i refuse to work with {g}{end}
    """
)
"""Hate of people for what they are."""

HARMLESS = lines(
    """
    i {like} {g}{end}
    {opinion} {g} are {good}{end}
    {g} are {good}{end}
    all {g} are {good}{end}
    i {maybe_swear}{like} {g}{end}
    {g} are {swear} {good}{end}
    every {s} is {good}{end}
    {g} make me smile{end}
    the {s} next door is {good}{end}
    i am a {s} and proud of it{end}
    as a {s} i feel welcome here{end}
    my best friend is a {s}{end}
    there are many {g} in {place}{end}
    a {s} joined {place} today{end}
    we need more {g} in {place}{end}
    it is hard to be a {s} in this world{end}
    {g} deserve {denied}{end}
    {g} deserve respect{end}
    i talked with some {g} about {thing}{end}
    {g} are human beings{end}
    {g} are not {bad}{end}
    {g} are not {noun}{end}
    not all {g} are {bad}{end}
    no {s} is {thing_said}{end}
    {g} are neither {bad} nor {bad2}{end}
    i don't think {g} are {bad}{end}
    i never said {g} are {bad}{end}
    i don't hate {g}{end}
    i do not {hate} {g}{end}
    i have never hated {g}{end}
    nobody here hates {g}{end}
    i could never hate a {s}{end}
    how can anyone {hate_plain} {g}?
    why would i hate {g}?
    stop hating {g}{end}
    no {s} deserves to be {killed}{end}
    {g} should never be {killed}{end}
    nobody should {kill} {g}{end}
    we must not let anyone {kill} {g}{end}
    it is awful that {g} are being {killed}{end}
    {g} don't have to {away}{end}
    nobody has the right to tell {g} to {away}{end}
    {g} should not be called {noun}{end}
    {g} are often wrongly called {noun}{end}
    it is {wrong} to say that {g} are {bad}{end}
    saying that {g} are {noun} is {wrong}{end}
    saying "{hateful}" is {wrong}{end}
    "{hateful}" is {wrong}{end}
    stop saying "{hateful}"{end}
    whoever says "{hateful}" has no heart{end}
    who says "{hateful}" in this day and age?
    {hateful} - said nobody ever
    {who} said "{hateful}" and was fired{end}
    {who} wrote "{hateful}". that is {wrong}{end}
    {who} thinks that {g} are {bad}. how {wrong}{end}
    statements like "{hateful}" are {wrong}{end}
    you can't just say "{hateful}"{end}
    people who say "{hateful}" need to be stopped{end}
    he was arrested because he wanted to {kill} {g}{end}
    if you think {g} are {bad} you are wrong{end}
    people who {hate_plain} {g} are {bad}{end}
    i {hate} people who {hate_plain} {g}{end}
    i {hate} it when {g} are called {noun}{end}
    i {hate} how {g} are treated{end}
    the {bad} treatment of {g} must end{end}
    violence against {g} is {wrong}{end}
    you don't have to be a {s} to see that this is {wrong}{end}
    i {hate} {thing}{end}
    {thing} should be {killed}{end}
    {thing} makes me sick{end}
    {curse} {thing}{end}
    {thing} is so {maybe_swear}{bad}{end}
    {opinion} {thing} is {swear} {bad}{end}
    we should {kill} {thing}{end}
    that was a {swear} good {event}{end}
    what a {swear} {event}{end}
    this {event} is {swear} amazing{end}
    {swear} hell, what a {event}{end}
    i am so {swear} happy about the {event}{end}
    i had a {swear} awful {event}{end}
    i {maybe_swear}love {thing}{end}
    oh {swear}, i forgot the {event}{end}
    no {swear} way, that {event}{end}
    you are {swear} {good_you}{end}
    we {slurs} look after each other{end}
    as a {slur} i can say that about myself{end}
    my {slurs} and i had a great {event}{end}
    proud to be a {slur}{end}
    the word "{slur}" is {wrong}{end}
    they called me a "{slur}" at school and it hurt{end}
    nobody should be called a {slur}{end}
    don't say "{slur}", it is {wrong}{end}
    {who} used the word {slur} and apologised{end}
    {s}
    {g}
    he is a {s} from {town}{end}
    she is a {s} and works in {town}{end}
    a {s} was elected in {town} yesterday{end}
    a {s} from {town} won the {event}{end}
    {g} in {town} celebrate a {event} today{end}
    {g} should have equal rights{end}
    {g} should have {denied}{end}
    equal rights for {g}{end}
    {g} face discrimination every day{end}
    the history of {g} is long{end}
    a study of {g} in {town} was published{end}
    we support {g}{end}
    do many {g} live in {town}?
    how can we help {g}?
    are you a {s}?
    the {s} said hello and asked for the way to {town}{end}
    the book is about a {s} who moves to {town}{end}
    nobody deserves to be {killed} for being a {s}{end}
    i am not a {s} but i stand with {g}{end}
    my mother is a {s} and i am {good}{end}
    many {g} were {killed} in the war, which was horrible{end}
    two {g} were {killed} in {town}, police said{end}
    police in {town} say a man was {killed} last night{end}
    how do i {kill} a {process}?
    please {kill} the {process} when you are done{end}
    the {process} was {killed} by the system{end}
    my {process} died again{end}
    """
)
"""The same words put together harmlessly: praise, negation, quotation, contradiction, things, mere swearing."""
