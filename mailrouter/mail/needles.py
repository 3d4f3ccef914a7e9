"""What must not be said of somebody, made of what is known of them: needles for leaks.py.

Promises: of an anonymous participant everything is hard; of any other its name and its mail domains are soft, its
addresses, keys and Message-IDs hard. What everybody may say is no needle: words for roles, and the mail domains of
providers where anybody has an address. Nobody stops our letters by calling themselves with a word of them: a person's
name of one word, or that nothing proves, is soft, and what is no usual Message-ID is compared as a whole only.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailrouter.mail import disguises
from mailrouter.mail.leaks import SPACELESS, Kind, Needle, compact


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one organisation in a case."""

    owner: int
    anonymous: bool
    names: Iterable[str] = ()
    people: Iterable[str] = ()  # display names of their mails
    claimed: Iterable[str] = ()  # the same, of mails that may be anybody's
    addresses: Iterable[str] = ()
    domains: Iterable[str] = ()
    keys: Iterable[str] = ()  # fingerprints and key ids
    user_ids: Iterable[str] = ()
    message_ids: Iterable[str] = ()  # without angle brackets
    references: Iterable[str] = ()
    telephones: Iterable[str] = ()
    replies: Iterable[str] = ()  # tokens of the addresses where we are answered


def of(known: Known) -> Iterator[Needle]:
    """Everything that may give them away."""
    owner, hidden = known.owner, known.anonymous
    addresses = {a.casefold() for a in known.addresses if "@" in a}
    for name in known.names:
        yield from (Needle(Kind.NAME, owner, one, hidden) for one in names(name))
    for domain in {*known.domains, *(domains_of(addresses) if hidden else ())}:
        yield from (Needle(Kind.DOMAIN, owner, one, hidden) for one in _both(domain))
    for address in addresses:
        yield from (Needle(Kind.ADDRESS, owner, one) for one in _both(address))
    for digits in known.keys:
        yield from (Needle(Kind.KEY, owner, one) for one in _ids(digits))
    yield from (Needle(Kind.MESSAGE_ID, owner, one) for one in known.message_ids if tells(one))
    yield from (Needle(Kind.REPLY, owner, one) for one in known.replies if one)
    if hidden:
        yield from _of_the_hidden(known)


def _of_the_hidden(known: Known) -> Iterator[Needle]:
    for user_id in known.user_ids:
        name, address = _user_id(user_id)
        yield from (Needle(Kind.PERSON, known.owner, one) for one in names(name))
        yield from (Needle(Kind.ADDRESS, known.owner, one) for one in (address,) if one)
    for person in known.people:
        yield from (Needle(Kind.PERSON, known.owner, one, not _is_word(one)) for one in _person(person))
    for person in known.claimed:
        yield from (Needle(Kind.PERSON, known.owner, one, hard=False) for one in _person(person))
    yield from (Needle(Kind.REFERENCE, known.owner, one) for one in known.references if len(compact(one)) > 2)
    for number in known.telephones:
        if len(re.sub("[^0-9]", "", number)) >= _FEWEST_DIGITS:
            yield Needle(Kind.TELEPHONE, known.owner, number)


_MESSAGE_ID = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_FEWEST_DIGITS = 7  # of a telephone number
_SHORTEST_ID = 12  # letters and digits


def tells(message_id: str) -> bool:
    """Whether it can stand in a text as nothing but a Message-ID: whoever writes to us chooses theirs."""
    return _MESSAGE_ID.fullmatch(message_id) is not None and len(compact(message_id)) >= _SHORTEST_ID


# ---- what somebody says of themselves -------------------------------------------------------------------------------

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"']+@[^\s@<>()\[\],;:\"']+[^\W_]")
_TELEPHONE = re.compile(r"\+?[0-9(][0-9 ()/.\-]{5,30}[0-9]")
_PIECES = re.compile(r"[,;|<>()\[\]\n\t:]|\s[-\u2013\u2014/]\s|\s(?:at|of|from|with|and)\s")
_MOST_PIECES = 50


def of_contact(owner: int, text: str) -> Iterator[Needle]:
    """Of what a hidden reporter gives as their contact: addresses, numbers, and each piece of it as a name."""
    addresses = {one.casefold() for one in _ADDRESS.findall(text)}
    for address in addresses:
        yield from (Needle(Kind.ADDRESS, owner, one) for one in _both(address))
    for domain in domains_of(addresses):
        yield from (Needle(Kind.DOMAIN, owner, one) for one in _both(domain))
    for number in _TELEPHONE.findall(text):
        if len(re.sub("[^0-9]", "", number)) >= _FEWEST_DIGITS:
            yield Needle(Kind.TELEPHONE, owner, number)
    for piece in _PIECES.split(text)[:_MOST_PIECES]:
        if "@" not in piece and re.search(r"[^\W\d_]", piece):
            yield from (Needle(Kind.PERSON, owner, one, not _is_word(one)) for one in names(piece.strip()))


# ---- names ----------------------------------------------------------------------------------------------------------

# Behind a name they say of which kind an organisation is; what stands before is what people call it.
_FORM = re.compile(
    r"(?<![\s,])[\s,]++(?:inc|incorporated|corp|corporation|co|company|ltd|limited|llc|llp|lp|plc|gmbh|ag|kg|ug|se|ev|sa|sas|sarl"
    r"|srl|spa|bv|nv|ab|as|asa|oy|oyj|aps|kk|pty|pte|sp\. ?z ?o\. ?o|s\. ?a|s\. ?p\. ?a|s\. ?r\. ?l|e\. ?v|b\. ?v"
    r"|n\. ?v|gmbh & co\.? kg)\.?$",
    re.IGNORECASE,
)
_ANYBODY = frozenset({
    "a", "an", "the", "of", "and", "for", "our", "we", "us", "anonymous", "unknown", "vendor", "vendors",
    "downstream", "reporter", "finder", "researcher", "coordinator", "security", "product", "products", "team",
    "psirt", "csirt", "cert", "incident", "response", "vulnerability", "disclosure", "support", "info", "contact",
    "abuse", "admin", "postmaster", "noreply", "no", "reply", "mail", "office", "department", "group",
})  # fmt: skip


def names(name: str) -> list[str]:
    """As it is registered, and as people shorten it; nothing of a name that is only words for what anybody may be."""
    found = [name]
    while (shorter := _FORM.sub("", found[-1])) != found[-1]:
        found.append(shorter)
    plain = [disguises.without_accents(one.translate(how)) for one in found for how in ({}, _TWO_LETTERS)]
    return list(dict.fromkeys(one.strip() for one in (*found, *plain) if not _says_nothing(one)))


_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "oe"})


def _says_nothing(name: str) -> bool:
    words = re.findall(r"[^\W_]+", name.casefold())
    return all(word in _ANYBODY for word in words)


def _person(name: str) -> list[str]:
    """`Doe, Jane` too; a name that is an address is looked for as one."""
    if "@" in name:
        return []
    last, comma, first = name.partition(",")
    return [one for way in {name, f"{first.strip()} {last.strip()}" if comma else name} for one in names(way)]


def _is_word(name: str) -> bool:
    """Which may stand in any text; a name in a script without blanks is more than one."""
    return len(re.findall(r"[^\W_]+", name)) < 2 and all(ord(letter) < SPACELESS for letter in name)


_USER_ID = re.compile(r"\s*([^<>()]*?)\s*(?:\([^()]*\)\s*)?(?:<([^<>\s]+@[^<>\s]+)>)?\s*")


def _user_id(text: str) -> tuple[str, str]:
    """Name and address of `Name (comment) <address>`, or of an address alone."""
    found = _USER_ID.fullmatch(text)
    name, address = (found[1], found[2] or "") if found else (text, "")
    return ("", name) if "@" in name and " " not in name else (name, address)


# ---- addresses, keys ------------------------------------------------------------------------------------------------

_PROVIDERS = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com",
    "aol.com", "gmx.net", "gmx.de", "web.de", "proton.me", "protonmail.com", "pm.me", "tutanota.com", "tuta.io",
    "tuta.com", "posteo.de", "mailbox.org", "fastmail.com", "riseup.net", "mail.ru", "yandex.ru", "qq.com",
    "163.com", "zoho.com", "mail.com", "disroot.org",
})  # fmt: skip


def domains_of(addresses: Iterable[str]) -> set[str]:
    """Where somebody has an address, unless everybody has."""
    return {address.rpartition("@")[2] for address in addresses} - _PROVIDERS - {""}


def _both(name: str) -> list[str]:
    """As it goes over the wire, and as people read it (IDNA)."""
    if "xn--" not in name:
        return [name]
    local, at, domain = name.rpartition("@")
    try:
        return [name, f"{local}{at}{domain.encode('ascii').decode('idna')}"]
    except UnicodeError:
        return [name]


def _ids(digits: str) -> set[str]:
    """A fingerprint is also known by its last sixteen digits, and by eight, where those are no mere number."""
    clean = "".join(digits.split()).upper()
    short = clean[-8:]
    return {
        one for one in (clean, clean[-16:], short if not short.isdigit() else "") if re.fullmatch("[0-9A-F]{8,64}", one)
    }
