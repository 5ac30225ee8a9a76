"""Vocabulary of the generated sentences: who is spoken of, what is said of them. Slurs come from the word lists."""

from collections.abc import Mapping, Sequence

Phrases = Mapping[str, Sequence[str]]


def listed(text: str) -> tuple[str, ...]:
    """Phrases written as one line, with commas between."""
    return tuple(phrase.strip() for phrase in text.replace("\n", " ").split(",") if phrase.strip())


GROUPS = listed(
    """women, girls, mothers, moms, housewives, wives, females, feminists, single mothers, ladies, trans people,
    trans women, trans men, transgender people, trans folks, transsexuals, nonbinary people, gay people, gays, gay men,
    homosexuals, lesbians, bisexuals, bisexual people, queer people, LGBT people, drag queens, black people, blacks,
    black women, black men, black folks, africans, african americans, nigerians, somalis, brown people,
    people of colour, white people, asians, asian people, chinese people, the chinese, japanese people, koreans,
    filipinos, vietnamese people, indians, pakistanis, bangladeshis, arabs, iranians, turks, syrians, afghans, kurds,
    palestinians, jews, jewish people, the jews, israelis, muslims, muslim women, hindus, sikhs, buddhists, christians,
    catholics, mormons, atheists, immigrants, illegal immigrants, migrants, refugees, asylum seekers, foreigners,
    newcomers, mexicans, latinos, latinas, hispanics, cubans, haitians, brazilians, native americans,
    indigenous people, aboriginals, romani people, travellers, poles, romanians, albanians, russians, ukrainians,
    disabled people, the disabled, people with disabilities, deaf people, blind people, autistic people,
    people with autism, people with down syndrome, wheelchair users, people in wheelchairs, the mentally ill,
    people with schizophrenia, dwarfs, old people, the elderly, pensioners, teenagers, poor people, homeless people,
    fat people, dark skinned people, interracial couples, gay couples, religious people"""
)
PERSONS = listed(
    """woman, girl, mother, wife, housewife, feminist, lady, trans person, trans woman, trans man, transgender person,
    nonbinary person, gay person, gay man, gay guy, lesbian, bisexual, queer person, drag queen, black person,
    black man, black woman, black guy, african, nigerian, somali, brown person, person of colour, white person, asian,
    asian woman, asian guy, chinese person, japanese person, korean, filipino, indian, pakistani, arab, iranian, turk,
    syrian, afghan, kurd, palestinian, jew, jewish person, israeli, muslim, muslim woman, hindu, sikh, buddhist,
    christian, catholic, mormon, atheist, immigrant, illegal immigrant, migrant, refugee, asylum seeker, foreigner,
    mexican, latino, latina, hispanic, cuban, haitian, brazilian, native american, indigenous person, aboriginal,
    romani, traveller, pole, romanian, albanian, russian, disabled person, deaf person, blind person,
    autistic person, wheelchair user, person with down syndrome, schizophrenic, dwarf, old person, pensioner,
    poor person, homeless person, fat person"""
)
THINGS = listed(
    """mondays, this phone, my alarm clock, traffic, cold coffee, this song, the new update, winter, long queues,
    homework, spreadsheets, this chair, that movie, broccoli, pineapple pizza, airports, flat tyres, wet socks,
    mosquitoes, weeds, spam mail, meetings, the rain, this game, my old laptop, slow wifi, pop-up ads, taxes, exams,
    football, reality shows, queues, printers, passwords, plastic bags, potholes, hangovers, toothache, mushrooms,
    this bug, my car, the last season, loud music, late trains, that colour, cheap beer, cilantro, diets, deadlines,
    cockroaches, allergies, this heat, burnt toast, horror films, tests, maths, malaria, cancer, wasps, rust, mould"""
)
WORLD: Phrases = {
    "bad": listed(
        """disgusting, vile, filthy, dirty, stupid, dumb, worthless, inferior, evil, subhuman, repulsive, ugly, gross,
        pathetic, lazy, violent, dangerous, greedy, corrupt, primitive, useless, sick, crazy, weak, revolting, nasty,
        wicked, brainless, savage, toxic, stinking, perverted, deranged, dishonest, backward, barbaric, criminal,
        hideous, idiotic, abnormal, unnatural, unclean, treacherous, untrustworthy, moronic, cowardly,
        rotten, degenerate, insane, awful, horrible, terrible, the worst, sly, a disgrace, trash, garbage,
        scum, filth, animals, less than human, not to be trusted, not normal, bad news, a plague, a joke"""
    ),
    "noun": listed(
        """scum, trash, garbage, vermin, parasites, rats, pigs, cockroaches, animals, leeches, criminals, thieves,
        rapists, terrorists, liars, idiots, morons, savages, monsters, freaks, perverts, predators, degenerates,
        barbarians, pests, a disease, a plague, a cancer, a virus, a curse, a burden, a stain on this country, a threat,
        a waste of space, a waste of oxygen, a bunch of crooks, filth, the devil, snakes, dogs, apes, monkeys, maggots,
        insects, traitors, cowards, losers, cheats, crooks, invaders, a mistake of nature, human waste, subhumans,
        the scum of the earth, mental, beasts, failures, murderers, pedophiles, lunatics, brutes"""
    ),
    "thing_said": listed(
        """scum, vermin, an animal, a pig, a dog, a rat, a parasite, a freak, a monster, a disease, an idiot, a moron,
        a pervert, a waste of space, a disgrace, a criminal, a terrorist, a piece of trash, a piece of garbage, filth,
        a mistake, a joke, a leech, a cockroach, a degenerate, worthless, disgusting, a savage, subhuman, inferior"""
    ),
    "good": listed(
        """wonderful, amazing, brilliant, kind, lovely, great, awesome, beautiful, strong, inspiring, smart, generous,
        brave, funny, talented, valuable, welcome here, equal, human like all of us, as good as anyone,
        the heart of this city, my friends, worth listening to, a blessing, fantastic, capable, hard working, cool,
        just people, normal people, fine, important, great neighbours, fun to be around, proud of who they are"""
    ),
    "hate": listed(
        """hate, despise, detest, loathe, can't stand, cannot stand, really hate, absolutely hate, am disgusted by,
        am sick of, have nothing but contempt for, am so fed up with, abhor, honestly hate, resent, am repulsed by"""
    ),
    "like": listed(
        "love, like, adore, respect, admire, support, appreciate, care about, am proud of, stand with, value, enjoy"
    ),
    "kill": listed(
        """kill, murder, shoot, hang, burn, gas, exterminate, eradicate, wipe out, get rid of, lynch, beat, stab,
        eliminate, destroy, hurt, punch, slaughter, choke, drown, torture, execute, behead, crush, bomb, run over,
        hunt down, annihilate, attack, rape, smash, whip"""
    ),
    "killed": listed(
        """killed, murdered, shot, hanged, burned alive, gassed, exterminated, eradicated, wiped out, lynched,
        beaten up, stabbed, destroyed, hurt, slaughtered, tortured, executed, crushed, deported, locked up, put down,
        sterilised, thrown out, caged, jailed, enslaved, whipped, raped, erased, banned,
        removed from society, put in camps"""
    ),
    "denied": listed(
        """respect, love, rights, help, equality, to be here, to live, to breathe, to vote, our sympathy, a voice,
        to have children, jobs, protection, any dignity, freedom, happiness, to exist, a place in our society, mercy,
        to be treated like humans, healthcare, the air they breathe"""
    ),
    "away": listed(
        """go back to where they came from, get out of our country, leave and never come back, go home, disappear,
        drop dead, rot in hell, burn in hell, shut up and know their place, stay in the kitchen, go to hell,
        crawl back under their rock, be kept away from children, stop whining, stay out of sight, die, all die,
        be sent back, be put in their place, obey us, serve us, be ashamed of existing"""
    ),
    "ask": listed(
        "why are, how come, isn't it true that, is it just me or are, when will people see that, do you know that"
    ),
    "opinion": listed(
        """i think, honestly, in my opinion, let's be honest, sorry but, to be fair, we all know, the truth is,
        i believe, i'm convinced, it's a fact that, everybody knows, imo, look, no offence but, tbh, like it or not,
        i'm not racist but, it has to be said, trust me, admit it"""
    ),
    "swear": listed("bloody, damn, goddamn, effing, freaking, {intensifier}, {intensifier}, {intensifier}"),
    "maybe_swear": ("", "", "", "{swear} "),
    "end": ("", "", ".", "!", "!!", ".", " smh", " lol", ".", " period.", " so much", " and that's that"),
    "wrong": listed(
        """wrong, hateful, not okay, racist, unacceptable, disgusting, cruel, bigoted, harmful, ignorant, shameful,
        a horrible thing to say, dangerous, not a joke, false, a lie, outrageous, never acceptable, illegal here"""
    ),
    "who": listed(
        """my uncle, a man on the train, some troll, the senator, my boss, a stranger, that channel, the guest,
        a classmate, this account, an old teacher, the book, a drunk guy, someone at work, the article, my neighbour"""
    ),
    "place": listed(
        """my street, our office, this town, the choir, the hospital, my school, our team, the village, the board,
        this series, parliament, the new film, my family, the army, the neighbourhood, our church, the club"""
    ),
    "town": listed(
        """detroit, london, berlin, our town, ohio, texas, mumbai, lagos, the city, rome, the capital, seoul,
        my village, chicago, toronto, leeds, nairobi, lima, the north, the suburbs, dublin, the countryside, boston,
        sydney"""
    ),
    "process": listed(
        """process, server, container, thread, task, job, connection, script, daemon, session, branch, timer, battery,
        plan"""
    ),
    "event": listed(
        """party, match, concert, weekend, trip, meal, sunset, goal, album, view, surprise, joke, story, recipe, dress,
        idea, day, morning, book, holiday, cake, show, race, performance, catch, bargain"""
    ),
}
