"""Which of our letters a mail is about: by an address of ours that holds its proof, else by a Message-ID of ours.

A batch of mails is looked up together: the secret is read only when one of them came to such an address, and letters
only when one is named by a machine or by its bounce address.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from mailrouter.case.model import Participant
from mailrouter.mail.ownaddress import Bounce, Claim, Reply
from mailrouter.mail.route import Hints
from mailrouter.store import messages, outbox, secret
from mailrouter.store.outbox import Letter

TOKEN, MESSAGE_ID = "token", "message-id"


@dataclass(frozen=True, slots=True)
class Tie:
    """The letter a mail is about, and how we know. Only our own token is proof; a Message-ID can be copied."""

    letter: Letter
    evidence: str

    @property
    def proved(self) -> bool:
        """Nobody can say so who did not have the letter's envelope."""
        return self.evidence == TOKEN


@dataclass(slots=True, repr=False)
class Ours:
    """What a batch of mails names of ours."""

    claims: set[Claim]
    secret: bytes
    letters: dict[int, Letter]  # those a mail may be about
    by_message_id: dict[str, int]  # Message-ID -> letter
    given: dict[Claim | str, int]  # address or Message-ID of ours -> the participant it was given to
    proved: dict[Claim, int] = field(default_factory=dict)  # address of ours -> case
    notices: set[Claim] = field(default_factory=set)  # proved too: the bounce address of a letter of no case

    @property
    def case_ids(self) -> set[int]:
        """The cases of the letters."""
        return {letter.case_id for letter in self.letters.values() if letter.case_id is not None}

    def prove_replies(self, cases: Mapping[int, int], participants: Iterable[Participant]) -> None:
        """Which reply addresses were given to one of these participants. `cases`: VU number -> case id."""
        everyone = list(participants)
        for claim in self.claims:
            if isinstance(claim, Reply) and (case_id := cases.get(claim.vu)) is not None:
                theirs = (p for p in everyone if p.case_id == case_id)
                holder = next((p for p in theirs if claim.proved(self.secret, p.id)), None)
                if holder is not None:
                    self.proved[claim], self.given[claim] = case_id, holder.id

    def prove_bounces(self) -> None:
        """Which bounce addresses are those of a letter."""
        for claim in self.claims:
            letter = self.letters.get(claim.letter) if isinstance(claim, Bounce) else None
            if letter is None or not isinstance(claim, Bounce) or not claim.proved(self.secret):
                continue
            if letter.case_id is None or letter.participant_id is None:
                self.notices.add(claim)
            else:
                self.proved[claim], self.given[claim] = letter.case_id, letter.participant_id

    def proves_all(self, hints: Hints) -> bool:
        """Whether every address that looks like one of these is one."""
        return all(claim in self.proved or claim in self.notices for claim in hints.claims)

    def tie(self, hints: Hints) -> Tie | None:
        """The letter that a machine's mail with these hints is about."""
        for claim in hints.claims:
            if isinstance(claim, Bounce) and (claim in self.proved or claim in self.notices):
                return Tie(self.letters[claim.letter], TOKEN)
        named = (self.by_message_id[m] for m in hints.references if m in self.by_message_id)
        return next((Tie(self.letters[n], MESSAGE_ID) for n in named if n in self.letters), None)


def ours(tx: Connection, batch: Sequence[tuple[Hints, str]], references: Sequence[messages.Reference]) -> Ours:
    """What these mails (hints and kind of each) name of ours; reply addresses are proved once their cases are held."""
    claims = {claim for hints, _ in batch for claim in hints.claims}
    known = secret.known(tx) if claims else None
    sent = [r for r in references if r.direction == "out" and r.letter_id is not None]
    by_message_id = {r.message_id: r.letter_id for r in sent if r.letter_id is not None}
    named = {by_message_id.get(m) for hints, kind in batch if kind != "person" for m in hints.references}
    bounced = {claim.letter for claim in claims if isinstance(claim, Bounce)} if known else set()
    found = Ours(
        claims=claims if known else set(),
        secret=known or b"",
        letters=outbox.some(tx, {n for n in named if n is not None} | bounced),
        by_message_id=by_message_id,
        given={r.message_id: r.participant_id for r in sent if r.participant_id is not None},
    )
    found.prove_bounces()
    return found
