"""A ciphertext that came before, from somebody else: captured on its way, and sent by whoever wants to see our answer.

It is decrypted for us as it would be for anybody (testbook P106). So such a mail is a stranger's, waits in `review`
with the reason, is attached to nothing, and is answered as any stranger's mail: with nothing of its text.
"""

from sqlalchemy import Connection

from mailrouter.case.model import Participant
from mailrouter.mail.authenticate import Sender
from mailrouter.store import messages

SEEN = "ciphertext-seen"  # the flag


def before(tx: Connection, ciphertext: str, mail_id: int, sender: Sender, participant: Participant | None) -> str:
    """Why this mail is a stranger's, in plain words; '' when its ciphertext is new, or came from the same sender.

    A colleague of the same participant is no stranger, and who signed it well is not asked about.
    """
    if not ciphertext:
        return ""
    whose = participant.id if participant else None
    earlier = messages.ciphertext_before(tx, ciphertext, mail_id, sender.address, whose)
    return f"what is encrypted in it came before, from another sender: message {earlier}" if earlier else ""
