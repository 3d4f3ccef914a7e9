"""A letter -> the bytes that leave: to whom it is encrypted, by whom signed, what stands outside.

Promises: everything is signed but acknowledgements. A letter to a participant who has usable keys is encrypted to all
of them and to our archive keys, and to nobody else's (testbook P120, P122); what stands outside then names the VU# and
nothing more. What is confidential leaves in clear only to who consented, and has no usable key. Every doubt holds it.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mailrouter.case.model import Case, Participant
from mailrouter.faults import Refused, TryLater
from mailrouter.flow import cleartext, leaking, ownaddresses
from mailrouter.flow.filing import look
from mailrouter.flow.sending import lacking, noticetext
from mailrouter.mail import compose
from mailrouter.mail.entity import Attachment
from mailrouter.mail.leaks import Finding
from mailrouter.pgp import MICALG, PublicKey, packets
from mailrouter.store import acknowledgements, analysts, cases, contacts, files, outbox, receipts, vouchers
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools

WRITTEN_BY_PEOPLE = ("write", "reply")
TITLED = ("notification", "details", *WRITTEN_BY_PEOPLE)  # whose subject inside names what the case is about
NO_KEY = "confidential, and the recipient has no usable key"
CONSENT = ", or once they agreed to clear text: `mailrouter participant set {} --clear-text yes --why 'they agreed'`"
ONLY_ENCRYPTED = "it may leave only encrypted, and the recipient has no usable key"
TELLS = "it would tell its recipient of others: {}; {}"
CONSENT_ENDED = "sealed in clear, and since then the consent was withdrawn or a key was pinned: write it anew"
KEY_ENDED = "sealed to a key that has expired since, or was retired, revoked or replaced: write it anew"
REPORTER_KEY = "`mailrouter vendor add NAME --email A --key FILE` adds it; then `mailrouter outbox release {}`"
STAFF_WITHOUT_KEY = "confidential, and this analyst has no key"
LEFT = "its recipient takes part in the case no more"
WORN_OUT = "the recipient's key is of no use any more"


@dataclass(frozen=True, slots=True)
class Sealing:
    """What the database says of a letter when it is sealed."""

    keys: tuple[PublicKey, ...] = ()  # the recipient's own, each usable now
    case: Case | None = None
    participant: Participant | None = None
    title: str = ""  # of the case, as the recipient may read it
    voucher: int | None = None  # what its answer confirms
    held: str = ""  # why it must not leave; '' when it may
    files: Sequence[Attachment] = ()


def look_up(tx: Connection, tools: Tools, letter: Letter) -> Sealing:
    """What of this letter's recipient counts now: keys that were revoked since it was queued do not."""
    if letter.name == acknowledgements.NAME:
        return Sealing()
    if letter.report_id is not None and letter.case_id is None:
        return _to_a_reporter(tx, tools, letter)
    if letter.participant_id is None or letter.case_id is None:
        keys = _staff_key(tx, letter)
        held = STAFF_WITHOUT_KEY if letter.confidential and not keys else ""
        return Sealing(keys=keys, held=held, files=_files(tx, letter))
    participant = cases.participant(tx, letter.participant_id)
    if not participant.takes_part:
        return Sealing(held=LEFT)
    pinned = contacts.keys_of(tx, [participant.organisation_id], retired=True)
    usable = tuple(PublicKey(key.fingerprint, key.data) for key in pinned if key.usable(tools.now()))
    case = cases.get(tx, letter.case_id)
    why = "" if usable else _not_in_clear(letter, participant, pinned)
    held = f"{why}: {_remedy(tx, tools, letter, case, participant, why)}" if why else ""
    voucher = vouchers.of_letter(tx, letter) if letter.name == vouchers.LETTER else None
    title = leaking.title(tx, tools, letter, case.title) if letter.name in TITLED else ""
    return Sealing(usable, case, participant, title, voucher, held, _files(tx, letter))


def _to_a_reporter(tx: Connection, tools: Tools, letter: Letter) -> Sealing:
    """Before there is a case: their keys are those of the organisation whose address it is, if it is one's."""
    pinned = _keys_of_address(tx, letter.recipient)
    usable = tuple(PublicKey(key.fingerprint, key.data) for key in pinned if key.usable(tools.now()))
    secret = letter.confidential or letter.only_encrypted
    why = ONLY_ENCRYPTED if letter.only_encrypted else NO_KEY
    held = f"{why}: {REPORTER_KEY.format(letter.id)}" if secret and not usable else ""
    return Sealing(usable, held=held, files=_files(tx, letter))


def _keys_of_address(tx: Connection, address: str) -> list[contacts.PinnedKey]:
    speaker = contacts.speakers(tx, [address]).get(address)
    theirs = [speaker.organisation_id] if speaker and speaker.organisation_id is not None else []
    return contacts.keys_of(tx, theirs, retired=True) if theirs else []


def _files(tx: Connection, letter: Letter) -> list[Attachment]:
    named = outbox.attachments(letter)
    contents = files.some(tx, (one["digest"] for one in named))
    return [Attachment(one["name"], contents[one["digest"]], one["type"]) for one in named]


def _remedy(tx: Connection, tools: Tools, letter: Letter, case: Case, participant: Participant, why: str) -> str:
    """Which key is missing or worn out, and the commands that let the letter go."""
    lacks = lacking.words(tx, participant.organisation_id, tools.now())
    consent = CONSENT.format(f"VU#{case.vu} {shlex.quote(participant.name)}") if why == NO_KEY else ""
    return f"{lacks}{consent}; then `mailrouter outbox release {letter.id}`"


def _staff_key(tx: Connection, letter: Letter) -> tuple[PublicKey, ...]:
    known = (one for one in analysts.everyone(tx) if letter.analyst_id in (None, one.id))
    staff = next((one for one in known if one.address == letter.recipient), None)
    return (PublicKey(staff.fingerprint, staff.key),) if staff and staff.key else ()


def _not_in_clear(letter: Letter, participant: Participant, pinned: list[contacts.PinnedKey]) -> str:
    """Why a letter to somebody without a usable key must not leave; '' when it may (testbook P121).

    Who had a key is written to in clear by no person's letter: only a person knows whether its words may be read.
    `pinned` holds the retired ones too: between the old key and the next one nothing becomes less secret.
    """
    encrypting = [key for key in pinned if key.can_encrypt]
    if letter.only_encrypted:
        return ONLY_ENCRYPTED
    if cleartext.consents(participant, encrypting):
        return ""
    if letter.confidential:
        return NO_KEY
    return WORN_OUT if encrypting and letter.name in WRITTEN_BY_PEOPLE else ""


def outlived(tx: Connection, tools: Tools, letter: Letter) -> str:
    """Why a letter that is sealed must not leave any more; '' when it may.

    Its bytes are never made anew: what was tried may have arrived, and two texts under one Message-ID prove nothing.
    """
    if letter.participant_id is not None and not cases.participant(tx, letter.participant_id).takes_part:
        return LEFT
    if letter.encrypted:
        return KEY_ENDED if _to_an_ended_key(tx, tools, letter) else ""
    if not letter.confidential:
        return ""
    known = look_up(tx, tools, letter)
    return CONSENT_ENDED if known.held or known.keys else ""


def _to_an_ended_key(tx: Connection, tools: Tools, letter: Letter) -> bool:
    """By the key ids in the message itself. An archive key of ours that was replaced is no reason."""
    readers = set(packets.recipients(packets.dearmor(letter.sealed or b"", b"MESSAGE")))
    if letter.report_id is not None and letter.case_id is None:
        pinned = _keys_of_address(tx, letter.recipient)
        return bool(readers & _ids(key for key in pinned if not key.usable(tools.now())))
    if letter.participant_id is None or letter.case_id is None:
        return not readers <= _ids(_staff_key(tx, letter))
    participant = cases.participant(tx, letter.participant_id)
    theirs = contacts.keys_of(tx, [participant.organisation_id], retired=True)
    return bool(readers & _ids(key for key in theirs if not key.usable(tools.now())))


def _ids(keys: Iterable[PublicKey | contacts.PinnedKey]) -> set[str]:
    """How encrypted messages name these keys and their subkeys (RFC 9580 section 5.1.1)."""
    return {material.fingerprint[-16:] for key in keys for material in packets.keys_of(key.data)}


def tells(tools: Tools, letter: Letter, known: Sealing) -> str:
    """What of others its recipient would learn and must not (flow/leaking/), and what mends it; '' when nothing.

    Looked for in exactly what leaves, as it is made now: who takes part, and what is known of them, may have changed
    since the letter was queued. An analyst may have let it go all the same.
    """
    if letter.despite:
        return ""
    hard, called = hard_findings(tools, letter, known)
    return TELLS.format(leaking.words(hard, called), leaking.WRITTEN_ANEW.format(letter.id)) if hard else ""


def hard_findings(tools: Tools, letter: Letter, known: Sealing) -> tuple[list[Finding], Mapping[int, str]]:
    """What of others its recipient would learn and must not, whether or not it may leave, and how those are called."""
    if not leaking.concerns(letter):
        return [], {}
    _open_reports(tools, letter)
    headers = _inside_and_outside(tools, letter, known)
    digests = [one["digest"] for one in outbox.attachments(letter)]
    files = [leaking.Carried(file, digest) for file, digest in zip(known.files, digests, strict=True)]
    with tools.db.read() as tx:
        found, called = leaking.of_letter(tx, tools, letter, headers, files)
    return [one for one in found if one.hard], called


def _open_reports(tools: Tools, letter: Letter) -> None:
    """What hidden reporters say of themselves stands in mails that may be encrypted: read outside of transactions, and
    once. Raises TryLater while GnuPG cannot open one: nothing leaves that was not searched for all of it.
    """
    with tools.db.read() as tx:
        unread = leaking.unread(tx, tools, letter)
    for report_id, message_id in unread:
        seen = look.at(tools, message_id)
        if seen.trouble.startswith(look.NOT_NOW):
            raise TryLater("the report cannot be opened just now")
        leaking.remember(tools, report_id, seen.text)


# ---- the bytes ------------------------------------------------------------------------------------------------------


def sealed(tools: Tools, letter: Letter, known: Sealing) -> tuple[bytes, bool]:
    """The bytes, and whether they are encrypted. Raises Refused, TryLater, ValueError: then nothing may leave."""
    try:
        return _seal(tools, letter, known), bool(known.keys)
    except Refused:
        if letter.participant_id is not None or letter.report_id is not None or letter.confidential or not known.keys:
            raise
        # a notice to our own staff names VU# and reason only: it must get there
        return _seal(tools, letter, replace(known, keys=())), False


def _seal(tools: Tools, letter: Letter, known: Sealing) -> bytes:
    """Signed; encrypted too when the recipient has usable keys (RFC 3156). An acknowledgement is neither."""
    headers, outside = _inside_and_outside(tools, letter, known)
    if letter.name == acknowledgements.NAME:  # the same for everybody, and nothing a stranger chose is signed by us
        return compose.message(headers, letter.body)
    tools.own_key()  # there must be one to sign with
    key = tools.pgp.autocrypt(headers.sender)
    headers, outside = replace(headers, autocrypt=key), replace(outside, autocrypt=key)
    if known.keys:
        return _encrypted(tools, letter, known, headers, outside)
    inner = compose.entity(letter.body, known.files, letter.message_id, protect=headers)
    signature = tools.pgp.sign_detached(inner, letter.signer).decode("ascii")
    return compose.signed(headers, inner, signature, MICALG, letter.message_id)


def _encrypted(
    tools: Tools, letter: Letter, known: Sealing, inside: compose.Headers, outside: compose.Headers
) -> bytes:
    text = noticetext.in_full(tools, letter)
    inner = compose.entity(text, known.files, letter.message_id, protect=inside, outer=outside)
    ours_too = known.case is not None or letter.report_id is not None
    archive = tools.pgp.archive_keys() if ours_too else ()
    message = tools.pgp.encrypt(inner, known.keys, archive=archive, signer=letter.signer)
    return compose.encrypted(outside, message.decode("ascii"), letter.message_id)


def _inside_and_outside(tools: Tools, letter: Letter, known: Sealing) -> tuple[compose.Headers, compose.Headers]:
    """Of an encrypted letter the real subject inside, a neutral one outside (RFC 9788 section 3; testbook P124)."""
    headers = _headers(tools, letter, known)
    if not known.keys or known.case is None or known.participant is None:
        return headers, headers
    tags = (f"VU#{known.case.vu}", known.participant.their_ref)
    title = compose.with_title(letter.subject, known.title)
    return replace(headers, subject=title), replace(headers, subject=compose.subject("", *tags))


def _headers(tools: Tools, letter: Letter, known: Sealing) -> compose.Headers:
    identity = tools.settings.identity
    return compose.Headers(
        identity.name, identity.address, letter.recipient, letter.subject, letter.made_at, letter.message_id,
        letter.in_reply_to, tuple(letter.reference_ids.split()), auto_submitted(letter),
        _reply_to(tools, letter, known),
    )  # fmt: skip


def auto_submitted(letter: Letter) -> str:
    """Its Auto-Submitted (RFC 3834); '' for a letter that a person orders."""
    if letter.name in (acknowledgements.NAME, *receipts.NAMES):
        return compose.ANSWERED
    return compose.AUTOMATIC if letter.automatic else ""


def _reply_to(tools: Tools, letter: Letter, known: Sealing) -> str:
    """Where a participant answers: an address that says which case, whatever becomes of the subject. Where an analyst
    does: one that says which item.
    """
    if letter.about_item_id is not None and letter.analyst_id is not None:
        return ownaddresses.mint(tools).order(letter.about_item_id, letter.analyst_id)
    if known.case is None or known.participant is None:
        return ""
    ours = ownaddresses.mint(tools)
    return ours.vouch(known.voucher) if known.voucher else ours.reply(known.case.vu, known.participant.id)
