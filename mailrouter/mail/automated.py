"""Was this mail written by a person, or by a machine: a bounce, a receipt, an absence note, a list, a report?

Mail of machines is filed, never stops a clock and is never answered (RFC 3834; testbook S21). Ordinary mail costs a few
header look-ups; a body is read only when the header says report, or somebody who delivers mail seems to speak.
"""

import re
from dataclasses import dataclass

from mailrouter.mail import bounces, headers, machines, phrases
from mailrouter.mail.bounces import Delivery
from mailrouter.mail.headers import Headers
from mailrouter.mail.machines import Kind
from mailrouter.mail.parse import Mail

__all__ = ["Automated", "Kind", "classify", "thread"]


@dataclass(frozen=True, slots=True)
class Automated:
    """What kind of mail it is, why we think so, and what a delivery report says."""

    kind: Kind
    reasons: tuple[str, ...]  # header or fact that decided, for people
    must_not_autoreply: bool
    doubt: str = ""  # why the kind may be wrong, in plain words: a person then looks at it, and no clock moves
    dsn_actions: tuple[str, ...] = ()
    failed_recipients: tuple[str, ...] = ()
    delayed_recipients: tuple[str, ...] = ()
    returned_ids: tuple[str, ...] = ()  # of the mail that came back, and of those in it

    @property
    def bounced_message_id(self) -> str | None:
        """Which mail the report is about."""
        return self.returned_ids[0] if self.returned_ids else None

    @property
    def is_bounce(self) -> bool:
        """Some recipient will not get our mail."""
        return self.kind is Kind.BOUNCE

    @property
    def is_autoreply(self) -> bool:
        """An automatic answer to a mail of ours."""
        return self.kind is Kind.AUTO_REPLY


_DELIVERERS = re.compile(
    r"(?:mailer|mail|m)[-_.]?daemon|post-?master|mailadm|mail[-_.]?delivery|system[-_.]?administrator"
    r"|(?:microsoft)?exchange[0-9a-f]{8,}|bounces?|ndr|.*(?:smtp|mail)[-_]?(?:service|gateways?)\b",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"(?:mailer|mail|m)[-_.]?daemon", re.IGNORECASE)
_DELIVERERS_NAME = re.compile(
    r"(?:internet )?(?:mail |message )?delivery (?:sub)?(?:system|service)"
    r"|mail(?:er)?[- ](?:daemon|administrator|system)|system administrator|post-?master"
    r"|microsoft outlook|mail\.delivery\.system",
    re.IGNORECASE,
)
# RFC 7489 section 7.2.1.1 and RFC 8460 section 5.3 fix these subjects.
_SUBJECT_OF_REPORT = re.compile(r"^\s*(?:\[[^\]]{0,40}\]\s*)?report[\s_]domain:\s*\S+.*\bsubmitter:", re.IGNORECASE)


def classify(mail: Mail, envelope_sender: str | None, own: frozenset[str] = frozenset()) -> Automated:
    """What kind of mail this is.

    `envelope_sender`: the RFC 5321 reverse-path, '' for the null sender; None when unknown (then Return-Path counts).
    `own`: our own addresses, case-folded: mail that claims to come from one of them is not answered, and a mailing
    list of that name is only how our mail reaches us.
    """
    null_sender = _is_null(mail, envelope_sender)
    delivered = _delivery(mail, null_sender=null_sender)
    if delivered is not None:
        return delivered
    rules = machines.matching(mail)
    kinds = [rule.kind for rule in rules if rule.kind is not None]
    if machines.absence_of_exchange(mail):
        kinds.insert(0, Kind.AUTO_REPLY)
    if Kind.LIST in kinds and machines.our_group(mail, own):
        kinds = [kind for kind in kinds if kind is not Kind.LIST]
    reasons = [rule.header for rule in rules] + (["null sender"] if null_sender else [])
    if any(address.address.lower() in own for address in mail.sender):
        reasons.append("from ourselves")
    if not kinds and (reason := _machines_part(mail)):
        kinds, reasons = [Kind.AUTOMATIC], [*reasons, reason]
    kind = kinds[0] if kinds else Kind.AUTOMATIC if null_sender else Kind.PERSON
    doubt = "" if null_sender or not kinds else machines.doubt(mail, kind, rules)
    if not null_sender and machines.person_behind(mail, kind):
        kind, doubt = Kind.PERSON, machines.MAY_BE_TICKETS if kind is Kind.AUTOMATIC else ""
    return Automated(kind, tuple(dict.fromkeys(reasons)), bool(reasons), doubt)


def thread(mail: Mail, automated: Automated) -> str | None:
    """The Message-ID the conversation began with, as far as this mail tells; of a bounce, that of the returned mail."""
    oldest = (*mail.references[:1], *mail.in_reply_to[:1])
    return automated.bounced_message_id or (oldest[0] if oldest else mail.message_id)


def _is_null(mail: Mail, envelope_sender: str | None) -> bool | None:
    """None: nobody told us, and the mail does not say so itself."""
    if envelope_sender is not None:
        return envelope_sender in ("", "<>")
    return any(value.replace(" ", "") == "<>" for value in mail.values("return-path")[:1]) or None


def _machines_part(mail: Mail) -> str:
    """A calendar program's yes or no (RFC 5546 section 3.2.3): the answer to a date, not to a question."""
    if b"text/calendar" not in mail.raw[:_LOOKED_AT].lower():
        return ""
    methods = {part.parameters.get("method", "").lower() for part in mail.parts if part.content_type == "text/calendar"}
    return "calendar reply" if methods & {"reply", "declinecounter"} else ""


_LOOKED_AT = 65_536  # bytes of the raw mail
# RFC 7489 section 7.2.1.1: receiver!domain!begin!end
_REPORT_FILE = re.compile(rb"name=\"?[\w.-]{1,255}![\w.-]{1,255}![0-9]{9,11}![0-9]{9,11}")


def _delivery(mail: Mail, *, null_sender: bool | None) -> Automated | None:
    """The mail as a report on a mail; None when it is none."""
    if _SUBJECT_OF_REPORT.match(mail.subject) or mail.headers.first("tls-report-domain") or _is_aggregate(mail):
        return Automated(Kind.REPORT, ("subject of a report",), must_not_autoreply=True)
    is_report = mail.headers.text("content-type").lower().startswith("multipart/report")
    if not (is_report or _may_be_bounce(mail, null_sender=null_sender)):
        return None
    types = {part.content_type for part in mail.parts if not part.in_attached_mail}
    if (told := bounces.status(mail.parts)) is not None:
        return _reported(mail, told, "delivery-status part")
    if "message/disposition-notification" in types:
        return _receipt(mail)
    if types & {"message/feedback-report", "application/tlsrpt+gzip", "application/tlsrpt+json"}:
        return Automated(Kind.REPORT, ("report part",), must_not_autoreply=True)
    told = bounces.prose(mail, _excluded(mail))
    if _is_wrapped(mail, told) and (inner := bounces.status(mail.parts, wrapped=True)) is not None:
        return _reported(mail, inner, "delivery-status part of the report within", wrapped=True)
    if not told.outcome and not is_report:
        return None
    if not (is_report or null_sender or _speaks(mail) or bounces.sets_apart(mail, _excluded(mail)) or _returns(mail)):
        return None  # the subject alone says so: nobody is named as reports do, nothing came back
    return _reported(mail, bounces.known(mail, told), "delivery report in prose")


def _is_aggregate(mail: Mail) -> bool:
    """A DMARC report whose sender chose a subject of its own; not one that a person hands on."""
    return bool(_REPORT_FILE.search(mail.raw, 0, _LOOKED_AT)) and not phrases.SUBJECT_OF_ANSWER.match(mail.subject)


def _speaks(mail: Mail) -> bool:
    """It comes from somebody who delivers mail, by address or by name."""
    if any(_DELIVERERS.fullmatch(_local(address.address)) for address in mail.sender) or _is_daemon(mail):
        return True
    return any(_DELIVERERS_NAME.fullmatch(address.name.strip("\"' ")) for address in mail.sender)


def _is_daemon(mail: Mail) -> bool:
    """It comes from an address at which nobody sits."""
    paths = (path.strip("<> ") for path in mail.values("return-path")[:1])
    return any(_DAEMON.fullmatch(_local(one)) for one in (*(address.address for address in mail.sender), *paths))


def _local(address: str) -> str:
    return address.partition("@")[0].strip("\"' \\")


def _returns(mail: Mail) -> bool:
    return mail.headers.first("x-failed-recipients") is not None or bool(bounces.returned_ids(mail))


def _may_be_bounce(mail: Mail, *, null_sender: bool | None) -> bool:
    """Somebody who delivers mail seems to speak. Headers only; the text has the last word.

    Reports come from the null sender (RFC 5321 section 4.5.5); without it the address and the subject must both say so.
    Where nobody knows (a mailbox without Return-Path) a daemon needs no such subject; and such a subject no deliverer
    where nobody's name stands in From: people have names, and write of a "User unknown oracle in FooMail".
    """
    if mail.headers.first("x-failed-recipients") is not None:
        return True
    speaks, titled = _speaks(mail), bool(phrases.SUBJECT_OF_BOUNCE.match(mail.subject))
    if null_sender is None and not mail.in_reply_to:
        return _is_daemon(mail) or (titled and (speaks or not any(address.name for address in mail.sender)))
    return (speaks or titled) if null_sender else (speaks and titled)


def _reported(mail: Mail, told: Delivery, reason: str, *, wrapped: bool = False) -> Automated:
    if told.outcome in ("", "failed") and not told.failed:  # the report names nobody; its prose may
        told = Delivery(told.actions, bounces.prose(mail, _excluded(mail)).failed, told.delayed, told.outcome)
    kind = {"delayed": Kind.DELAY, "delivered": Kind.DSN_SUCCESS}.get(told.outcome, Kind.BOUNCE)
    returned = bounces.returned_ids(mail, wrapped=wrapped) or mail.in_reply_to[:1]
    return Automated(
        kind,
        (reason,),
        must_not_autoreply=True,
        dsn_actions=told.actions,
        failed_recipients=told.failed,
        delayed_recipients=told.delayed,
        returned_ids=returned,
    )


def _is_wrapped(mail: Mail, told: Delivery) -> bool:
    """A gateway put a mail of its own around a report: it left the report's parameter outside, or tells of nobody."""
    top = mail.parts[0]
    if top.content_type == "multipart/mixed" and top.parameters.get("report-type", "").lower() == "delivery-status":
        return True
    return _speaks(mail) and not (told.failed or told.delayed)


def _receipt(mail: Mail) -> Automated:
    """A disposition notification. One that says a machine refused the mail is a bounce in all but name."""
    fields = bounces.disposition(mail.parts)
    said = fields.text("disposition") if fields else ""
    unread = bool(_DELETED.search(said)) and any(map(phrases.SAYS_UNREAD.search, (mail.subject, mail.text)))
    refused = bool(_BROKEN.search(said) or _DELETED.search(said)) and not unread
    return Automated(
        Kind.BOUNCE if refused else Kind.MDN,
        ("disposition-notification part",),
        must_not_autoreply=True,
        failed_recipients=bounces.final_recipient(fields) if fields and refused else (),
        returned_ids=(reported,) if (reported := _reported_id(fields)) else bounces.returned_ids(mail),
    )


def _reported_id(fields: Headers | None) -> str | None:
    return headers.message_id(fields.text("original-message-id")) if fields else None


# RFC 5429 section 2.1.2: a mail refused by a filter is "deleted" by an automatic action.
_DELETED = re.compile(r"automatic-action.*;\s*deleted", re.IGNORECASE)
_BROKEN = re.compile(r";\s*(?:failed|denied)\b|/(?:error|failed)\b", re.IGNORECASE)


def _excluded(mail: Mail) -> frozenset[str]:
    """The parties of the report itself: they stand in its text as sender and contact, not as failed recipients."""
    return frozenset(address.address.lower() for address in (*mail.sender, *mail.to, *mail.cc))
