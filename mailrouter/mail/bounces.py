"""What a delivery report says: which recipients, what happened to them, and which of our mails came back.

Two kinds: the machine-readable parts of RFC 3464 and RFC 8098, and the prose that mail systems wrote before and beside
them. Prose is read by general rules, in linear time, and only when other evidence already says that a machine wrote it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mailrouter.mail import headers, knownforms, phrases, words
from mailrouter.mail.headers import Headers
from mailrouter.mail.mime import Part
from mailrouter.mail.parse import Mail

MOST_RECIPIENTS = 200
_MOST_BLOCKS = 2 * MOST_RECIPIENTS
_MOST_RETURNED = 10
_LONGEST_TEXT = 65_536  # characters of prose looked at
_LONGEST_LINE = 1000

_FAILED, _DELAYED, _DELIVERED = "failed", "delayed", "delivered"
# RFC 3464 section 2.3.3, and what is found in its place.
_ACTIONS = {
    "failed": _FAILED, "failure": _FAILED, "error": _FAILED,
    "delayed": _DELAYED, "deferred": _DELAYED,
    "delivered": _DELIVERED, "relayed": _DELIVERED, "expanded": _DELIVERED,
}  # fmt: skip

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_REPORT_TYPES = (*_STATUS_TYPES, "message/disposition-notification", "message/feedback-report")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was reported. All empty when nothing could be read."""

    actions: tuple[str, ...] = ()  # as written in the report, lower case, each once
    failed: tuple[str, ...] = ()  # addresses that will not get the mail
    delayed: tuple[str, ...] = ()
    outcome: str = ""  # failed | delayed | delivered; '' unknown


def status(parts: Sequence[Part], *, wrapped: bool = False) -> Delivery | None:
    """The delivery-status parts of this mail; None where there is none (RFC 3464).

    Those of mails attached to it are not its own, unless a gateway is known to have `wrapped` the report.
    """
    found = [part for part in parts if part.content_type in _STATUS_TYPES and (wrapped or not part.in_attached_mail)]
    if not found:
        return None
    rows = [row for part in found for row in _rows(part)]
    by_outcome = {
        outcome: _each_once(address for action, address in rows if _ACTIONS.get(action) == outcome and address)
        for outcome in (_FAILED, _DELAYED, _DELIVERED)
    }
    seen = [outcome for outcome in by_outcome if any(_ACTIONS.get(action) == outcome for action, _ in rows)]
    actions = _each_once(action for action, _ in rows if action)
    return Delivery(actions, by_outcome[_FAILED], by_outcome[_DELAYED], seen[0] if seen else "")


def _rows(part: Part) -> Iterator[tuple[str, str]]:
    """Action and address of every group of fields that has either (RFC 3464 section 2.3)."""
    for block in re.split(rb"\n[ \t]*\r?\n", part.content([]))[:_MOST_BLOCKS]:
        fields = headers.split(block.strip())
        action = fields.text("action").lower().split()
        address = recipient(fields)
        if action or address:
            yield (action[0] if action else ""), address


def _typed(fields: Headers, name: str) -> str:
    """The address of `rfc822; address`; some leave the type out, some put angle brackets around it."""
    value = fields.text(name).rpartition(";")[2]
    match = _ADDRESS.search(value)
    if match:
        return match["it"]
    return value.strip("<> ") if "@" in value and " " not in value.strip() else ""


def disposition(parts: Sequence[Part]) -> Headers | None:
    """The fields of a disposition notification (RFC 8098 section 3.1); None where there is none."""
    for part in parts:
        if part.content_type == "message/disposition-notification" and not part.in_attached_mail:
            return headers.split(part.content([]).lstrip())
    return None


def final_recipient(fields: Headers) -> tuple[str, ...]:
    """Whom a disposition notification is about."""
    address = recipient(fields)
    return (address,) if address else ()


def recipient(fields: Headers) -> str:
    """Whom a group of fields is about, as the sender wrote the address where that is known; '' when it names nobody."""
    return _typed(fields, "original-recipient") or _typed(fields, "final-recipient")


def returned_ids(mail: Mail, *, wrapped: bool = False) -> tuple[str, ...]:
    """The Message-IDs of what came back, outermost first, from the copies of it or of its header.

    `wrapped`: the report lies in an attached mail; what came back to its sender stands deeper in it.
    """
    inside = (part for part in mail.parts[1:] if wrapped or not part.in_attached_mail)
    found = dict.fromkeys(one for part in inside if (one := _returned_id(part)))
    if not found and (quoted := _QUOTED_ID.search(mail.text[:_LONGEST_TEXT])):
        found = {"".join(quoted[1].split()): None}
    return tuple(found)[:_MOST_RETURNED]


def _returned_id(part: Part) -> str | None:
    """That of a copy in the part; or of the part itself, where a mail system cut the mail in as it was."""
    copied = part.content_type == "text/rfc822-headers" or part.content_type.startswith("message/")
    if copied and part.content_type not in _REPORT_TYPES:
        return headers.message_id(headers.split(part.content([]).lstrip()).text("message-id"))
    return headers.message_id(part.headers.text("message-id"))


_ADDRESS = re.compile(
    r"(?<![\w.+@-])(?:SMTP=)?(?P<it>[A-Za-z0-9_.+=%&'/~^$#!*{|}?-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,10})",
    re.ASCII,
)
_QUOTED_ID = re.compile(r"^[> \t]{0,8}message-id:\s{0,80}<([^<>\n]{1,998})>", re.IGNORECASE | re.MULTILINE)

_ALONE = re.compile(
    r"[\s>*\u2022-]*(?:\"[^\"]{0,80}\"\s*)?<?(?P<address>[^\s<>:;,()]{1,64}@[^\s<>:;,()]{1,255}?)>?"
    r"(?:\s*[:;.,]?\s*$|>?:\s.*|\s*\(.*|\s+on\s.*|\s*;.*)"
)
_EXPANDED = re.compile(r"(?:expanded|generated|forwarded|redirected) from:?\s*<?([^\s<>()]{1,320})", re.IGNORECASE)


def prose(mail: Mail, excluded: frozenset[str]) -> Delivery:
    """What the text of a report says. `excluded`: addresses, case-folded, that stand in it for other reasons."""
    told = own_words(mail.text)
    text = "\n".join(told)
    delayed = any(map(phrases.SAYS_DELAYED.search, (text, mail.subject))) or bool(
        phrases.DELAY_SUBJECT.search(mail.subject)
    )
    failed = not delayed and bool(phrases.SAYS_FAILED.search(text) or phrases.SAYS_FAILED.search(mail.subject))
    stated = mail.values("x-failed-recipients")
    found = _addresses(stated, excluded) or _recipients(told, excluded) or _addresses([mail.subject], excluded)
    if delayed:
        return Delivery((), (), found, _DELAYED)
    return Delivery((), found, (), _FAILED if failed or stated else "")


def known(mail: Mail, told: Delivery) -> Delivery:
    """What prose told, with the recipients a library knows from the form of that mail system."""
    headers_of = [(name, mail.headers.text(name)) for name in ("from", "to", "subject", "x-failed-recipients")]
    failed, delayed = knownforms.recipients([(name, value) for name, value in headers_of if value], mail.text)
    if told.outcome == _DELAYED and delayed:
        return replace(told, delayed=_each_once(iter(delayed)))
    return replace(told, failed=_each_once(iter(failed))) if told.outcome == _FAILED and failed else told


def sets_apart(mail: Mail, excluded: frozenset[str]) -> bool:
    """Whether an address stands in a line of its own, as reports name whom they are about; people write sentences."""
    alone = [match["address"] for line in own_words(mail.text) if (match := _ALONE.match(line))]
    return bool(_addresses(alone, excluded))


def own_words(text: str) -> list[str]:
    """The lines a mail system wrote itself, up to the mail it returns."""
    lines: list[str] = []
    for line in text[:_LONGEST_TEXT].split("\n"):
        if lines and phrases.RETURNED.match(line[:200]) and any(_ADDRESS.search(told) for told in lines):
            break
        lines.append(line[:_LONGEST_LINE])
    return lines


def _recipients(lines: Sequence[str], excluded: frozenset[str]) -> tuple[str, ...]:
    """Addresses that stand alone; else those announced, those in a line that tells of a failure; else any."""
    alone = [match["address"] for line in lines if (match := _ALONE.match(line))]
    expanded = [match[1] for line in lines for match in _EXPANDED.finditer(line)]
    announced = [
        line
        for position, told in enumerate(lines)
        if told.rstrip().endswith(":") and phrases.SAYS_FAILED.search(told)
        for line in lines[position + 1 : position + 4]
    ]
    return (
        _addresses(alone + (expanded if alone else []), excluded)
        or _addresses(announced, excluded)
        or _addresses([line for line in lines if phrases.SAYS_FAILED.search(line)], excluded)
        or _addresses(lines, excluded)
    )


def _addresses(texts: Sequence[str], excluded: frozenset[str]) -> tuple[str, ...]:
    found = (match["it"].strip("'").rstrip(".-") for text in texts for match in _ADDRESS.finditer(text))
    return _each_once(address for address in found if address.lower() not in excluded and not _is_staff(address))


def _is_staff(address: str) -> bool:
    return address.partition("@")[0].lower() in ("postmaster", "mailer-daemon", "abuse", "hostmaster", "root")


def _each_once(values: Iterator[str]) -> tuple[str, ...]:
    """In order, compared without regard to case, at most the limit."""
    first: dict[str, str] = {}
    for value in values:
        first.setdefault(value.lower(), words.line(value))
    return tuple(first.values())[:MOST_RECIPIENTS]
