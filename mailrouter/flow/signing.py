"""Was this signed before? One signing is one word of its signer, in whatever mail and under whatever subject it comes.

Whoever holds a signed mail can send it again, with another subject around what is signed. So what came before makes no
turn, no consent and no statement: it is filed, flagged and shown (testbook P91, P92, P94). Not asked about the mail
itself when it is judged anew, nor about a copy by another road (flow/arriving/copies.py).
"""

from sqlalchemy import Connection

from mailrouter.case.model import Case, Participant
from mailrouter.mail.pgpmime import Opened
from mailrouter.store import messages


def of(opened: Opened) -> messages.Signing:
    """What it is known by."""
    return messages.Signing(opened.signature_id, opened.fingerprint, opened.signed_at, opened.signed_digest)


def came_before(
    tx: Connection, opened: Opened, case: Case, participant: Participant, mail_id: int, before: int | None
) -> str:
    """`repeated` in this case, `replay` out of another; '' when it is new. `before`: what this mail became already."""
    case_id = messages.signing_filed(tx, of(opened), case.id, participant.id, mail_id, before)
    if case_id is None:
        return ""
    return "repeated" if case_id == case.id else "replay"
