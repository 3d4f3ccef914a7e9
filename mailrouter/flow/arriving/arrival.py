"""A judged mail as rows: the message people see, and the proof a statement in it would be kept with."""

from hashlib import sha256

from mailrouter.case.events import MailArrived
from mailrouter.case.plan import REPORTS
from mailrouter.case.standing import Assurance, Standing
from mailrouter.flow import newreport
from mailrouter.flow.act import Arrived
from mailrouter.flow.arriving import captured, ties
from mailrouter.flow.arriving.lookup import Known, Read, Vouched
from mailrouter.mail import audience, reportform, statement

REUSED = "message-id-reused"
COPIED = "copied-to-others"  # testbook S29
BAD_TOKEN = "bad-token"  # noqa: S105 - it came to what looks like an address of ours that we gave to nobody


def arrived(read: Read, event: MailArrived, known: Known, vouched: Vouched | None = None) -> Arrived:
    """The mail as a row, with the proof a statement in it would be kept with."""
    mail_id, raw = read.item.mail_id, read.item.envelope.raw
    row = _row(read, event) | {
        "flags": " ".join(_flags(read, event, known)),
        "vouched_by": vouched.by if vouched else "",
    }
    known.seen.setdefault(read.mail.message_id or "", set()).add(mail_id)
    keep = proof(read) if event.meant else {}  # an analyst may take any other mail as one later
    before = known.before.get(mail_id)
    return Arrived(mail_id, sha256(raw).hexdigest(), row, keep, before=before, reports=lambda: _as_report(read))


def _as_report(read: Read) -> dict[str, object]:
    """What its row would say, if it is one; the rest is read from the mail when somebody looks."""
    subject = read.opened.protected_subject or read.mail.subject
    return newreport.facts(reportform.read(read.text), subject)


def _row(read: Read, event: MailArrived) -> dict[str, object]:
    mail, opened = read.mail, read.opened
    strange = event.participant is None or event.standing is Standing.STRANGER or event.kind in REPORTS
    return {
        "direction": "in", "mail_id": read.item.mail_id, "kind": event.kind,
        "participant_id": None if strange or event.participant is None else event.participant.id,
        "sender": read.sender.address, "recipient": _recipients(read),
        "subject": opened.protected_subject or mail.subject,
        "message_id": mail.message_id or None, "received_at": read.item.envelope.received_at,
        "standing": str(event.standing), "assurance": str(event.assurance), "verdict": str(opened.verdict),
        "covers": opened.covers, "fingerprint": opened.fingerprint, "signature_id": opened.signature_id,
        "signed_at": opened.signed_at, "reason": _reason(read, event), "certificate": opened.certificate,
        "gpg": opened.gpg, "signed_digest": opened.signed_digest, "ciphertext": opened.ciphertext,
        "encrypted": opened.encrypted, "decrypted": opened.decrypted, "claimed_vu": event.routed.claimed_vu,
        "defects": " ".join(mail.defects[:20]),
        "about_letter_id": event.about.letter_id if event.about else None,
        "about_evidence": ties.evidence(event.about),
    }  # fmt: skip


def _reason(read: Read, event: MailArrived) -> str:
    """Why its signature proves nothing, or why it was not decrypted; '' when there is nothing to say."""
    return event.lacks if event.assurance is Assurance.INVALID else read.opened.reason


def _recipients(read: Read) -> str:
    return ", ".join(read.item.envelope.recipients[:5]).encode("ascii", "replace").decode("ascii")


def _flags(read: Read, event: MailArrived, known: Known) -> list[str]:
    others = known.seen.get(read.mail.message_id or "", set()) - {read.item.mail_id}
    flags = {
        REUSED: bool(read.mail.message_id and others) and event.copy_of is None,
        "copy": event.copy_of is not None,
        "malformed-from": bool(read.sender.malformed),
        BAD_TOKEN: not known.ours.proves_all(read.hints),
        "not-decrypted": read.opened.decrypted == "fail",
        "repaired": read.opened.repaired,
        captured.SEEN: bool(event.captured),
        COPIED: read.kind in ("person", "list")
        and audience.others(read.mail, read.sender.address, read.item.envelope.recipients),
    }
    lacks = event.signed.flags if event.assurance is Assurance.VERIFIED else ()
    return [*(word for word, holds in flags.items() if holds), *lacks]


def proof(read: Read) -> dict[str, object]:
    """A statement's text and what signs it."""
    opened = read.opened
    return {
        "verbatim": statement.verbatim(read.words), "form": opened.form, "signed_bytes": opened.signed_bytes,
        "signature": opened.signature, "signed_at": opened.signed_at, "fingerprint": opened.fingerprint,
        "signature_id": opened.signature_id,
    }  # fmt: skip
