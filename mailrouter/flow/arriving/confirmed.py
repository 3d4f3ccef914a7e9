"""A mail to the address only a voucher's letter gave: what it says of the text that was put to its sender."""

from sqlalchemy import Connection

from mailrouter.case import vouching
from mailrouter.case.model import Participant
from mailrouter.case.standing import Assurance
from mailrouter.flow.arriving.ties import Ours
from mailrouter.mail import confirmation
from mailrouter.mail.route import Hints
from mailrouter.store import statements, vouchers


def asked(ours: Ours, hints: Hints, participant: Participant | None) -> vouchers.Asked | None:
    """The voucher whose address the mail came to, if it was given to this participant."""
    found = (ours.vouched[claim] for claim in hints.claims if claim in ours.vouched)
    return next((one for one in found if participant is not None and one.participant_id == participant.id), None)


def answer(
    tx: Connection, about: vouchers.Asked, words: bytes, assurance: Assurance, *, registered: bool, person: bool,
    counts: bool,
) -> vouching.Answer:  # fmt: skip
    """The answer, held against the voucher and its statement as they are now (their case is locked)."""
    voucher = about.voucher
    text = statements.get(tx, voucher.statement_id)
    said = confirmation.read(words.decode("utf-8", "replace").replace("\r\n", "\n"), voucher.sha256)
    return vouching.Answer(
        voucher_id=voucher.id, asked=text, sha256=voucher.sha256, done=voucher.done_at is not None,
        elsewhere=text.participant_id != voucher.participant_id,
        registered=registered, person=person, counts=counts,
        sound=assurance in (Assurance.UNSIGNED, Assurance.VERIFIED),
        newer_stands=vouching.newer_stands(text, statements.standing(tx, about.participant_id)),
        replaced=vouchers.asked_again(tx, voucher), unclear=said.why_not,
    )  # fmt: skip
