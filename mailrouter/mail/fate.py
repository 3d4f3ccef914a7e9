"""What a delivery report means for the address a letter went to: it is dead, another behind it is, or it was trouble.

An address is dead only when somebody says that there is no such mailbox. A full one, a mail too big or taken for spam,
or a fault of ours (one broken SPF record is refused by every vendor at once) is trouble: a person is told, and nobody
is marked. A list or an alias of a vendor's hands our letter on under our envelope sender, so that reports about one of
its members come to us too: the vendor's own address takes mail all the same.
"""

import re
from collections.abc import Iterator

from mailrouter.case.events import Fate
from mailrouter.mail import bounces, headers, phrases
from mailrouter.mail.automated import Automated, Kind
from mailrouter.mail.parse import Mail

_MOST_BLOCKS = 400
_TYPES = ("message/delivery-status", "message/global-delivery-status")

# RFC 3463 section 3.2 and RFC 7505: no such mailbox, no such host, not an address, moved away, a host without mail.
# Not 5.1.0, which does not say what is wrong with which address (gateways write it for every 550, SPF too), nor 5.1.4:
# an address that fits two mailboxes has one too many. 5.1.7, 5.1.8 and 5.1.9 are about our own address and theirs.
_NO_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})

_CODE = r"[245]\.[0-7]\.[0-9]{1,3}(?![0-9.])"  # RFC 3463 section 2; eight subjects
_STATUS = re.compile(rf"\s*({_CODE})")
_DIAGNOSTIC = re.compile(rf"\s*smtp\s*;\s*[245][0-9]{{2}}[ -]({_CODE})", re.IGNORECASE)  # RFC 3464 section 2.3.6
_CODES = re.compile(rf"(?<![0-9.])({_CODE})")
_SAYS_NO_MAILBOX = phrases.any_of(
    r"""
    (?:user|recipient|mailbox|address|account)(?: name)? (?:is )?(?:unknown|not known|not found|not listed)
    (?:unknown|no such|invalid|nonexistent|non-existent) (?:local )?(?:user|recipient|mailbox|account|person|address)
    no mailbox (?:here )?by that name|(?:does not|doesn't) (?:exist|have an? .{0,40}account)|did not exist
    (?:user|recipient|mailbox|address|account) .{0,80}(?:does not|doesn't) exist
    empfänger (?:ist )?unbekannt|unbekannter (?:empfänger|benutzer)|existiert nicht|n'existe pas|destinataire inconnu
    no existe|usuario desconocido|non esiste|utente sconosciuto|não existe|usuário desconhecido|bestaat niet
    не существует|用户不存在|收件人不存在|該当するユーザー
    """
)
# Whatever else is said in the same words: about us, the mail, or a mailbox that is there.
_SAYS_OTHERWISE = phrases.any_of(
    r"""
    (?<!to )(?<!to the )\bsender|relay|\bspf\b|\bdkim\b|dmarc|spam|junk|virus|block|blacklist|\brbl\b|reputation
    policy|denied|quota|\bfull\b|too (?:big|large|many)|size|disabled|suspended|inactive
    temporar|timed? ?out|greylist|try again
    """
)


def of_letter(mail: Mail, told: Automated, address: str) -> Fate | None:
    """What this report, which is known to be about a letter to `address`, says of it; None: it is no failure."""
    if told.kind is not Kind.BOUNCE:
        return None
    named = {one.lower() for one in told.failed_recipients}
    if not named:
        return Fate.TROUBLE  # of a list, an alias, a gateway: nobody says of whom
    if address.lower() not in named:
        return Fate.BEHIND
    own_words = "\n".join(bounces.own_words(mail.text))
    codes = set(_reported(mail, address)) or set(_CODES.findall(own_words))
    dead = all(map(is_no_mailbox, codes)) if codes else _says_no_mailbox(own_words)
    return Fate.NO_MAILBOX if dead else Fate.TROUBLE


def is_no_mailbox(code: str) -> bool:
    """Whether this enhanced status code (RFC 3463) says that there is no such mailbox; '' does not."""
    return code in _NO_MAILBOX


def _says_no_mailbox(words: str) -> bool:
    return bool(_SAYS_NO_MAILBOX.search(words)) and not _SAYS_OTHERWISE.search(words)


def _reported(mail: Mail, address: str) -> list[str]:
    """The codes of the failures of this address; where none is said to be its own, of all failures."""
    failures = [
        (bounces.recipient(fields), code)
        for part in mail.parts
        if part.content_type in _TYPES
        for fields in _failed(part.content([]))
        if (code := _code(fields))
    ]
    own = [code for recipient, code in failures if recipient.lower() == address.lower()]
    return own or [code for _, code in failures]


def _failed(report: bytes) -> Iterator[headers.Headers]:
    """The groups of fields that tell of a failure (RFC 3464 section 2.3)."""
    groups = (headers.split(group.strip()) for group in re.split(rb"\n[ \t]*\r?\n", report)[:_MOST_BLOCKS])
    return (fields for fields in groups if fields.text("action").strip().lower().startswith("fail"))


def _code(fields: headers.Headers) -> str:
    """What the server that refused it said itself; else what the one that reports made of it. '' when neither did."""
    said = _DIAGNOSTIC.match(fields.text("diagnostic-code")) or _STATUS.match(fields.text("status"))
    return said[1] if said else ""
