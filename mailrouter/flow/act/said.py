"""Orders about what a mail says: a statement is kept or vouched for, what it claims is proposed.

Promises: of each participant one statement stands; what a newer mail says overtakes what an older one proposed.
"""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailrouter.case import actions as do
from mailrouter.case.model import Case, Participant
from mailrouter.flow.act.doing import Doing, write
from mailrouter.store import proposals, statements, vouchers


def keep_statement(doing: Doing, action: do.KeepStatement) -> None:
    """Word for word, with its proof; one that is verified takes the former's place."""
    mail = doing.mail
    assert mail is not None
    assert doing.case is not None
    if action.state == "verified":
        supersede(doing.tx, action.participant.id, but=mail.message_id)
    row = statement_row(mail.statement, doing.case, action.participant, mail.message_id, mail.row["received_at"])
    kept = statements.keep(doing.tx, row | {"state": action.state, "reason": action.reason, "bound": action.bound})
    write(doing, doing.case, f"statement.{action.state}", statement=kept, message=mail.message_id, bound=action.bound)


def propose(doing: Doing, action: do.Propose) -> None:
    """What an analyst may take as said."""
    mail = doing.mail
    assert mail is not None
    assert doing.case is not None
    made = proposals.add(doing.tx, doing.case.id, action.participant.id, mail.message_id, action.said, doing.now)
    if not made:
        return  # an earlier look at this mail made them
    over = proposals.overtake(doing.tx, action.participant.id, mail.message_id, made, doing.now)
    told = {
        "participant": action.participant.id, "proposals": list(made.values()), "what": [str(one.what) for one in made],
        "vulnerabilities": [one.vulnerability for one in made], "sha256": [proposals.digest(one.value) for one in made],
    }  # fmt: skip
    write(doing, doing.case, "proposal.made", message=mail.message_id, **told, overtakes=over)
    mail.sure += [number for said, number in made.items() if said in action.sure]


def vouch(doing: Doing, action: do.Vouch) -> None:
    """Somebody we asked says that the statement is theirs."""
    supersede(doing.tx, action.participant.id)
    statements.change(doing.tx, action.statement_id, state="vouched", reason="")
    message_id = doing.mail.message_id if doing.mail else None
    proof = {"message_id": message_id, "agreed_by": action.agreed_by, "done_at": doing.now}
    vouchers.change(doing.tx, action.voucher_id, **proof)
    told = {"statement": action.statement_id, "voucher": action.voucher_id, "how": action.how, "message": message_id}
    write(doing, doing.case, "statement.vouched", **told)


def statement_row(
    proof: dict[str, Any], case: Case, participant: Participant, message_id: int, received_at: datetime
) -> dict[str, Any]:
    """A statement's row, but for how it was judged."""
    return proof | {
        "case_id": case.id, "participant_id": participant.id, "message_id": message_id, "received_at": received_at,
        "sha256": hashlib.sha256(proof["verbatim"]).hexdigest(),
    }  # fmt: skip


def supersede(tx: Connection, participant_id: int, but: int | None = None) -> None:
    """What stood until now stands no longer, if it was not kept from the message `but`."""
    former = statements.standing(tx, participant_id, but)
    if former is not None:
        statements.change(tx, former.id, state="superseded")
