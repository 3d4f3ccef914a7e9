"""Which reference of their own a participant gives in a subject (DOMAIN.md, process 5): `[ACME-4411]`, `Case #4411`.

A suggestion, never more: what looks like one may be anything. Left out are numbers of ours, CVE IDs and the like,
dates, versions, and the words that gateways and mailing lists put in brackets. Whatever is given can stand in our
subjects to them (`compose.subject`). Time is linear in the subject.
"""

import re
from collections.abc import Callable, Iterator

from mailrouter.mail import compose

LONGEST = 40  # characters of a reference, as compose takes them
_LOOKED_AT = 500  # characters of a subject

_BRACKETED = re.compile(r"[\[({]([^\[\](){}]{2,80})[\])}]")
_SALESFORCE = re.compile(r"(?<![A-Za-z0-9])ref:[A-Za-z0-9_.]{5,34}:ref(?![A-Za-z0-9])")
_LABELLED = re.compile(
    r"(?<![A-Za-z0-9])(?:support |our |your )?(?:case|ticket|incident|issue|request|reference|ref|tracking|bug|report"
    r"|psirt|advisory|sr|id)(?:\s?(?:number|no\.?|nr\.?|id))?\s{0,2}(?:[:=]\s{0,2}#?|#\s?)"
    r"([A-Za-z0-9][A-Za-z0-9._/-]{2,39})",
    re.IGNORECASE,
)
_STRUCTURED = re.compile(
    r"(?<![A-Za-z0-9._/#:-])([A-Z][A-Z0-9]{1,11}(?:-[A-Z0-9]{1,8}){0,3}-[0-9]{2,12}|[A-Z]{2,8}[0-9]{5,14})(?![A-Za-z0-9-])"
)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#:-]{2,39}")

_NOT_THEIRS = re.compile(
    r"(?:cve|cwe|capec|cvss|vu|vrf|ghsa|rfc|iso|iec|en|nist|fips|sha|aes|rsa|md|utf|tls|ssl|http|ipv|x|tlp|covid|kw|cw"
    r"|win|windows|version|ver|rev|page|part|q|fy|spf|dkim|score|spam)[-#:_ ./]?[0-9v]",
    re.IGNORECASE,
)
_VERSION = re.compile(r"v?[0-9]{1,4}(?:\.[0-9]{1,6})+[a-z0-9-]{0,8}", re.IGNORECASE)
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}[-/.][0-9]{1,2}(?:[-/.][0-9]{1,2})?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{2}){1,2}"
)
_COUNT = re.compile(r"[0-9]{1,3}(?:[/:][0-9]{1,3})*|(?:19|20)[0-9]{2}")


def proposed(subject: str, known: str = "", ours: str = "") -> str:
    """The reference to record; '' when the subject gives none, or the one that is recorded (`known`).

    `ours`: text of ours that a subject may repeat, such as the case's title: nothing of it is their reference.
    """
    line = subject[:_LOOKED_AT]
    repeated = ours.casefold()
    for look in _LOOKS:
        found = [token for token in look(line) if _theirs(token) and token.casefold() not in repeated]
        if known and known.casefold() in (token.casefold() for token in found):
            return ""
        if found:
            return found[0]
    return ""


def _bracketed(line: str) -> Iterator[str]:
    for match in _BRACKETED.finditer(line):
        inside = match[1].strip()
        labelled = _LABELLED.fullmatch(inside)
        if labelled:
            yield labelled[1]
        elif _TOKEN.fullmatch(inside) and not (match[0][0] == "(" and inside.isdigit()):
            yield inside


def _labelled(line: str) -> Iterator[str]:
    return (match[1].rstrip("./-") for match in _LABELLED.finditer(line))


def _structured(line: str) -> Iterator[str]:
    return (match[1] for match in _STRUCTURED.finditer(line))


def _salesforce(line: str) -> Iterator[str]:
    return (match[0] for match in _SALESFORCE.finditer(line))


_Look = Callable[[str], Iterator[str]]
_LOOKS: tuple[_Look, ...] = (_salesforce, _bracketed, _labelled, _structured)  # the surest first


def _theirs(token: str) -> bool:
    """A number of theirs: it has digits, and is nothing that everybody writes."""
    common = (_NOT_THEIRS.match(token), _VERSION.fullmatch(token), _DATE.fullmatch(token), _COUNT.fullmatch(token))
    return any(map(str.isdigit, token)) and not any(common) and not compose.unfit(token)
