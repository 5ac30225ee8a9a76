"""The words that addresses are made of, in the languages whose forms we read. Lower case, without full stops."""

from core.domain.compliance.context import words

STREET_AFTER_NAME = words(
    # the common suffixes of USPS Publication 28 (appendix C1), and the usual ones of Britain, Ireland and Australia
    "street st avenue ave av road rd boulevard blvd lane ln drive dr drv court ct place pl square sq terrace ter terr",
    "way parkway pkwy circle cir trail trl highway hwy close crescent cres grove gardens gdns mews row walk hill alley",
    "plaza plz loop run pike turnpike tpke expressway expy freeway fwy path ridge crossing xing cove glen heights hts",
    "landing manor meadows pass point pt quay rise parade esplanade embankment causeway bypass villas wharf bend creek",
    "cliffs hollow knoll overlook ranch route rte shore spur trace viaduct broadway bluff commons str",
)
STREET_BETWEEN_NAME_AND_NUMBER = words(
    # Hungarian, Estonian, Czech, Slovak, Slovene, Norwegian, Swedish, Finnish, Danish, Turkish
    "utca utcája út útja tér tere u krt körút köz sétány tee tänav tn pst puiestee maantee mnt ulice ulica náměstí",
    "námestie třída gate gata gatan veien vei vegen väg vägen katu tie plads vej gade sokak sokağı cad caddesi bulvarı",
)
STREET_BEFORE_NAME = words(
    # French, Italian, Spanish, Catalan, Portuguese, Romanian
    "rue avenue boulevard allée allee allées impasse chemin quai sentier via viale piazza",
    "piazzale piazzetta vicolo corso largo strada contrada calle avenida avda paseo carrera callejón ronda",
    "travesía carretera carrer avinguda passeig rua rúa travessa praça alameda estrada rodovia beco bulevardul şoseaua",
    # Polish, Czech, Slovene, Croatian, Bulgarian, Greek, Dutch
    "ul ulica ulice aleja aleje osiedle nám ulitsa ул улица проспект бул οδός πλατεία λεωφόρος λεωφ platia leoforos",
)
STREET_BETWEEN_NUMBER_AND_NAME = STREET_BEFORE_NAME | words(
    # the same, too common elsewhere to count without the number before them
    "av ave bd blvd place cours passage plaza camino calleja al pl plac os пр odos straat platz square st saint"
)
STREET_ENDINGS = (
    # German, Dutch, Frisian
    "straße", "strasse", "strase", "gasse", "platz", "allee", "damm", "ufer", "brücke", "markt", "chaussee", "weg",
    "straat", "laan", "plein", "kade", "gracht", "dreef", "dijk", "singel", "steenweg", "plaats", "baan",
    # Swedish, Norwegian, Danish, Icelandic
    "gatan", "gata", "gaten", "gate", "vägen", "vagen", "väg", "veien", "vegen", "vegur", "vej", "gade", "stien",
    "stræti", "straeti", "braut", "gränd", "torget", "bakken", "haven", "vangen", "lunden", "alléen",
    # Finnish, Estonian
    "katu", "kuja", "tie", "polku", "puisto", "raitti", "tänav",
)  # fmt: skip
ENDINGS_ALSO_ENGLISH = ("gate", "haven", "tie", "gaten", "weg")
UNITS = words(
    "apt apartment apartments suite ste unit flat room rm floor fl bldg building lot trailer trlr space spc dept",
    "penthouse ph office ofc piso interior depto esc wohnung appartement appt app bus box",
)
ORDINALS = words("1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th first second third fourth fifth ground top lower upper")
FLOORS = words("floor floors fl level")
DIRECTIONS = words("n s e w ne nw se sw north south east west northeast northwest southeast southwest")
PARTICLES = words(
    "de del della delle dei di da do dos das du des la le les lo los las el y e i a al van von der den het ten ter te",
    "zu zum zur of the and und och og et l d des dalla dello u nad na pod v s à am im",
)
NOT_IN_NAMES = words(
    "january february march april may june july august september october november december jan feb mar apr jun jul",
    "aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday am pm years year months",
    "month weeks week days day hours hour hrs minutes minute mins min seconds second secs people persons times",
    "percent dollars euros pounds miles mile km meters metres feet ft inches items points votes degrees million",
    "billion thousand hundred usd eur gbp kg lb lbs mg ml mb gb kb is are was were be been has have had do does did",
    "will would can could i you he she it we they this that these those my your his her its our their from with for",
    "but or not by as if then than when while who which what where how card number phone mobile fax email date name",
    "job ssn order chapter section page version",
)
ASKS_FOR_ADDRESS = (
    "address", "addresses", "address is", "addresses are", "address to", "address with", "here they are",
    "lives at", "lives on", "lives in", "live at", "live on", "live in", "lived at", "lived in",
    "living at", "living in", "located at", "located in", "situated at", "office is at", "offices are at", "sent to",
    "send to", "send it to", "one to", "deliver to", "delivered to", "ship to", "shipped to", "return to", "mail to",
    "taxi to", "moved to", "meet at", "meet me at", "meet you at", "arrived at", "restaurant is at", "you off at",
    "is on", "corner of", "side of", "refers to", "enter on", "residing at", "resides at", "reside at", "mailing",
    "headquartered at", "based at", "home at", "stop at", "pick up at", "adresse", "indirizzo", "dirección", "endereço",
    "adres", "anschrift", "user", "it's in", "it is in",
)  # fmt: skip
US_STATES = words(
    "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa",
    "ri sc sd tn tx ut vt va wa wv wi wy dc pr gu vi",
)
