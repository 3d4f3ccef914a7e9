"""Who a mail says it is from, read strictly, and what our own mail server found out about that.

The strict reading is what every decision about a sender rests on; a mail it does not understand has no sender, only a
reason (testbook P51 to P54, S25). Sender, Reply-To and display names are never used.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrouter.mail import words
from mailrouter.mail.limits import ADDRESS_HEADER
from mailrouter.mail.parse import Mail

# RFC 5322 sections 3.2.3 and 3.4.1 without the obsolete forms, quoted local parts and literals.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_LOCAL = rf"{_ATOM}+(?:\.{_ATOM}+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDR_SPEC = rf"(?P<address>{_LOCAL}@{_LABEL}(?:\.{_LABEL}){{0,30}})"
# A phrase: atoms, and dots as everybody writes them ("J. Doe"), beyond ASCII too (RFC 6532); or quoted strings.
_WORD = r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]+|\"(?:[^\"\\\x00-\x08\x0a-\x1f\x7f]|\\[ -~])*\")"
_PHRASE = rf"(?P<phrase>{_WORD}(?:[ \t]+{_WORD})*)"
_BARE = _ADDR_SPEC.replace("<address>", "<bare>")
_MAILBOX = re.compile(rf"[ \t]*(?:{_PHRASE}?[ \t]*<{_ADDR_SPEC}>|{_BARE})[ \t]*")


@dataclass(frozen=True, slots=True)
class Sender:
    """The one mailbox in From. `malformed` is '' or the reason, in one word, why there is none to rely on."""

    address: str = ""  # ASCII, case-folded; '' when malformed
    name: str = ""  # display name, decoded; for showing, proves nothing
    malformed: str = ""

    @property
    def domain(self) -> str:
        """What follows the @; '' when malformed."""
        return self.address.rpartition("@")[2]


# What is wrong with a From that does not fit the grammar, first match; the words end up in front of people.
_REASONS = (
    ("control-character", re.compile(r".*[\x00-\x08\x0a-\x1f\x7f-\x9f]", re.DOTALL)),
    ("empty", re.compile(r"\s*\Z|[^@]*<\s*>\s*\Z")),
    ("no-address", re.compile(r"[^@]*\Z")),
    ("group", re.compile(r"[^\"<>@,]*:")),
    ("comment", re.compile(r"(?:[^\"(]|\"(?:[^\"\\]|\\.)*\")*\(")),
    ("at-in-phrase", re.compile(r"[^\"<]*@[^\"<]*<")),
    ("several-mailboxes", re.compile(r"(?:[^\",]|\"(?:[^\"\\]|\\.)*\")*,|[^@]*@[^@]*[<\s][^@]*@")),
    ("not-ascii", re.compile(r".*<[^<>]*[^\x00-\x7f][^<>]*>|[^<]*[^\x00-\x7f][^<]*\Z")),
)


def sender(mail: Mail) -> Sender:
    """The strict reading of From (testbook pgp.md, rule 6): exactly one header, one mailbox, no obsolete syntax."""
    values = mail.headers.raw("from")
    if len(values) != 1:
        return Sender(malformed="several-from" if values else "no-from")
    if len(values[0]) > ADDRESS_HEADER:
        return Sender(malformed="too-long")
    try:
        text = values[0].decode("utf-8")
    except UnicodeDecodeError:
        return Sender(malformed="not-utf-8")
    return _strict(text)


def _strict(text: str) -> Sender:
    match = _MAILBOX.fullmatch(text)
    if match is None:
        return Sender(malformed=next((reason for reason, pattern in _REASONS if pattern.match(text)), "syntax"))
    address = match["address"] or match["bare"]
    if len(address) > 254 or len(address.rpartition("@")[0]) > 64:  # RFC 5321 section 4.5.3.1
        return Sender(malformed="too-long")
    return Sender(address.lower(), _shown(match["phrase"] or ""))


def _shown(phrase: str) -> str:
    unquoted = re.sub(r"\"((?:[^\"\\]|\\.)*)\"", lambda found: re.sub(r"\\(.)", r"\1", found[1]), phrase)
    return words.header(unquoted.encode(), []) if "=?" in unquoted else words.line(unquoted).strip()


# ---- Authentication-Results (RFC 8601) ------------------------------------------------------------------------------

_ANY = r"\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<word>{})|(?P<mark>[;=])|(?P<comment>\()|(?P<blank>\s+)"
_TOKEN = re.compile(_ANY.format(r"[^\s\"();=]+"))
_VALUE = re.compile(_ANY.format(r"[^\s\"();]+"))  # of a property: a local part may hold `=`, and BATV's does
_PARENTHESIS = re.compile(r"\\.|[()]")
_END = ";"  # of the authserv-id, and of each method's results
_NO_MARKS = str.maketrans(";=", "??")  # what is quoted is a value, and never one of the marks
_METHOD_LIMIT = 100
_VERSION = "1"  # RFC 8601 section 2.2: the only one there is


@dataclass(frozen=True, slots=True)
class Result:
    """What one method found. `domains`: the value of each property, as a domain, in lower case."""

    method: str  # dmarc | spf | dkim | ...; lower case
    result: str  # pass | fail | none | ...; lower case; 'unreadable' when the rest is not of the grammar's form
    domains: Mapping[str, str] = field(default_factory=dict)  # header.from, header.d, smtp.mailfrom, ...


# Which property names the domain that a method's pass speaks for, best first (RFC 8601 section 2.7). A domain counts
# for itself alone, not for those above or below it: without a list of public suffixes nobody can tell whose they are.
_SPEAKS_FOR = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}
_NO_VERDICT = "none"  # of DMARC: the domain has published no policy, so there was nothing to pass or to fail


def transport_pass(mail: Mail, authserv_id: str | None, address: str) -> bool:
    """Did our own mail server find out that this address' domain stands behind the mail?

    Its DMARC verdict decides, for exactly this domain. Where there is none, because it did not look or the domain has
    no policy, a pass of DKIM or SPF for exactly this domain says the same.

    Only Authentication-Results that carry exactly our authserv-id count, and of them only those in one run at the top:
    below the next Received, or below another server's result, anybody may have written them. Our server must remove
    forged ones on the way in (RFC 8601 section 5); more than one DMARC result counts as a failure. Without an
    authserv-id nothing is ever trusted. ARC (RFC 8617) is not read: its seals are others' word.
    """
    domain = address.rpartition("@")[2].lower()
    if not authserv_id or not domain:
        return False
    found = _ours(mail, authserv_id)
    verdicts = [one for one in found if one.method == "dmarc"]
    if [one.result for one in verdicts] in ([], [_NO_VERDICT]):
        return any(one.result == "pass" and _domain_behind(one) == domain for one in found)
    (verdict, *others) = verdicts
    return not others and verdict.result == "pass" and verdict.domains.get("header.from") == domain


def _domain_behind(one: Result) -> str:
    """The domain that a DKIM or SPF result speaks for; '' when it names none."""
    named = (one.domains[name] for name in _SPEAKS_FOR.get(one.method, ()) if name in one.domains)
    return next(named, "")


def _ours(mail: Mail, authserv_id: str) -> list[Result]:
    """All that our own server found, from the one run of fields that can be its own."""
    found: list[Result] = []
    begun = False
    for name, raw in mail.headers.fields:
        if name == "received" and begun:
            break
        if name == "authentication-results":
            server, results = _results(raw)
            if server != authserv_id:
                break
            begun = True
            found += results
    return found


def _results(raw: bytes) -> tuple[str, list[Result]]:
    """The authserv-id and what follows it. An unreadable header belongs to nobody."""
    tokens = _tokens(raw)
    if tokens is None:
        return "", []
    groups: list[list[str]] = [[]]
    for token in tokens:
        if token == _END:
            groups.append([])
        else:
            groups[-1].append(token)
    head, *methods = groups
    if head[1:] not in ([], [_VERSION]) or not head or len(methods) > _METHOD_LIMIT:
        return "", []
    return head[0], [_method(group) for group in methods if group]


def _method(group: list[str]) -> Result:
    """`method = result` and then `property = value` pairs; whatever is not of that form makes the result unusable."""
    pairs = [group[at : at + 3] for at in range(0, len(group), 3)]
    method = group[0].lower().partition("/")[0]
    if any(len(pair) != 3 or pair[1] != "=" for pair in pairs):
        return Result(method, "unreadable")
    named = [(name.lower(), value.lower()) for name, _, value in pairs]
    (_, result), *properties = named
    domains = {name: value.rpartition("@")[2] for name, value in properties}
    if len(domains) != len(properties):  # said twice, in two ways perhaps
        return Result(method, "unreadable")
    return Result(method, result, domains)


def _tokens(raw: bytes) -> list[str] | None:
    """Words, contents of quoted strings, and the marks; comments left out. None if the header is not well formed.

    One look at each character, however they are chosen: whoever writes to us may write this header.
    """
    text = raw.decode("utf-8", "replace")
    found: list[str] = []
    position = 0
    while position < len(text):
        match = (_VALUE if found[-1:] == ["="] else _TOKEN).match(text, position)
        if match is None:
            return None
        position = match.end()
        if match["comment"]:
            position = _past_comment(text, position)
        elif match["quoted"] is not None:
            found.append(match["quoted"].translate(_NO_MARKS))
        elif not match["blank"]:
            found.append(match["mark"] or match["word"])
    return found if position <= len(text) else None


def _past_comment(text: str, position: int) -> int:
    """Behind the closing parenthesis; beyond the text when there is none."""
    depth = 1
    for match in _PARENTHESIS.finditer(text, position):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(text) + 1
