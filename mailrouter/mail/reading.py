"""What the router makes of one mail, as the keys `inspect` prints (CONTRACT.md; their meaning: the corpus' README)."""

from collections.abc import Collection
from hashlib import sha256

from mailrouter.case import vuid
from mailrouter.mail import authenticate, automated, parse, quote, words
from mailrouter.mail.parse import Mail
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.mail.quote import Reply

Reading = dict[str, object]


def reading(mail: Mail, opened: Opened, signer_addresses: Collection[str] = ()) -> Reading:
    """Every key for one mail but `id`. `signer_addresses`: the addresses in the User IDs of the key that signed."""
    kind = automated.classify(mail, None)
    shown = _shown(mail, opened)
    reply = _reply(shown)
    effective = mail.subject if opened.protected_subject is None else opened.protected_subject
    return {
        "raw_sha256": sha256(mail.raw).hexdigest(),
        "subject": mail.subject,
        "from": [address.address for address in mail.sender if address.address],
        "to": [address.address for address in mail.to if address.address],
        "cc": [address.address for address in mail.cc if address.address],
        "message_id": mail.message_id,
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "text": _text(shown),
        "html": shown.html if isinstance(shown, Mail) else "",
        "attachments": _attachments(shown if isinstance(shown, Mail) else mail),
        "defects": list(mail.defects),
        "kind": str(kind.kind),
        "is_bounce": kind.is_bounce,
        "is_autoreply": kind.is_autoreply,
        "must_not_autoreply": kind.must_not_autoreply,
        "dsn_actions": list(kind.dsn_actions),
        "failed_recipients": list(kind.failed_recipients),
        "bounced_message_id": kind.bounced_message_id,
        "thread": automated.thread(mail, kind),
        "pgp": _pgp(mail, opened, effective, signer_addresses),
        "reply": {"visible": reply.visible, "hidden": reply.hidden},
        "reply_quote": "" if opened.encrypted else _quoted(reply.visible),
        "vu": [str(vu) for vu in vuid.find(effective) or vuid.find(mail.subject)],
    }


def _shown(mail: Mail, opened: Opened) -> Mail | str:
    """What a reader gets: what was opened, when that is the whole mail; else the mail as it came."""
    whole = opened.decrypted == "ok" or (opened.verdict is Verdict.GOOD and opened.covers == "all")
    inside = _inside(opened)
    return mail if inside is None or not whole else inside


def _inside(opened: Opened) -> Mail | str | None:
    if opened.content is None:
        return None
    if opened.content_is_entity:
        return parse.mail(opened.content, to_show=True)
    return words.paragraphs(words.decode(opened.content, opened.charset, []))


def _text(shown: Mail | str) -> str:
    return shown.text if isinstance(shown, Mail) else shown


def _reply(shown: Mail | str) -> Reply:
    if isinstance(shown, str):
        return quote.split(shown)
    has_plain = any(part.content_type == "text/plain" for part in shown.parts)
    return quote.split(shown.text) if has_plain or not shown.html else quote.split_html(shown.html)


def _attachments(mail: Mail) -> list[dict[str, object]]:
    return [{"name": found.name, "size": found.size, "md5": found.md5} for found in mail.attachments]


def _pgp(mail: Mail, opened: Opened, effective: str, signer_addresses: Collection[str]) -> Reading:
    sender = authenticate.sender(mail)
    proved = opened.verdict is Verdict.GOOD and opened.covers == "all" and not sender.malformed
    readable = opened.encrypted and opened.decrypted in ("ok", "partial")
    inside = _inside(opened) if readable else None
    return {
        "verdict": str(opened.verdict),
        "covers": opened.covers,
        "signer": opened.fingerprint or None,
        "encrypted": opened.encrypted,
        "decryptable": readable if opened.encrypted else None,
        "may_show_verified": proved and sender.address in {address.lower() for address in signer_addresses},
        "effective_subject": effective,
        "decrypted_text": None if inside is None else _text(inside),
        "must_flag_mixed": opened.covers == "part" or opened.decrypted == "partial",
        "signed_headers": _signed_headers(opened),
    }


def _signed_headers(opened: Opened) -> list[str]:
    """Names of the header fields the signature covers: those of the protected part (RFC 9788)."""
    if opened.verdict is not Verdict.GOOD:
        return []
    names = (name.lower() for name, _value in opened.protected_headers)
    return list(dict.fromkeys(name for name in names if not name.startswith(("content-", "mime-version"))))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n")) if text else ""
