"""Which of our letters a mail is about: by an address of ours that holds its proof, else by a Message-ID of ours.

A batch of mails is looked up together: the secret is read only when one of them came to such an address, and letters
only when one is named by a machine or by its bounce address.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from mailrouter.case.events import About, Fate, Returned
from mailrouter.case.model import Case, Participant
from mailrouter.flow import analystmail
from mailrouter.mail import fate
from mailrouter.mail.automated import Automated
from mailrouter.mail.ownaddress import Bounce, Claim, Reply, Vouch, reply_token
from mailrouter.mail.parse import Mail
from mailrouter.mail.route import Hints
from mailrouter.store import cases, contacts, messages, outbox, queues, secret, vouchers
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
    vouched: dict[Claim, vouchers.Asked] = field(default_factory=dict)  # proved too: where a text is confirmed
    orders: dict[Claim, analystmail.Asked] = field(default_factory=dict)  # analysts' addresses that are proved

    @property
    def case_ids(self) -> set[int]:
        """The cases of the letters and vouchers, and of the items that analysts write about."""
        about: list[int | None] = [letter.case_id for letter in self.letters.values()]
        about += [asked.case_id for asked in self.vouched.values()]
        about += [asked.case_id for asked in self.orders.values()]
        return {case_id for case_id in about if case_id is not None}

    def prove_replies(
        self, cases: Mapping[int, int], participants: Iterable[Participant],
        former: Sequence[tuple[int, int, int]] = (),
    ) -> None:  # fmt: skip
        """Which reply addresses were given to one of these participants. `cases`: VU number -> case id.

        `former`: of a merged case's number, the participant the address was given to, and who that is now.
        """
        replies = [claim for claim in self.claims if isinstance(claim, Reply) and claim.vu in cases]
        known: dict[int, list[tuple[int, int]]] = {}  # case -> its participants, each under the id it was given
        for p in participants:
            known.setdefault(p.case_id, []).append((p.id, p.id))
        given: dict[int, list[tuple[str, int]]] = {}
        for vu in {claim.vu for claim in replies}:
            behind = [(was, now) for number, was, now in former if number == vu]
            of_case = [*known.get(cases[vu], ()), *behind]
            given[vu] = [(reply_token(self.secret, vu, was), now) for was, now in of_case]
        for claim in replies:
            holder = next((who for token, who in given[claim.vu] if claim.holds(token)), None)
            if holder is not None:
                self.proved[claim], self.given[claim] = cases[claim.vu], holder

    def prove_bounces(self) -> None:
        """Which bounce addresses are those of a letter."""
        bounces = (claim for claim in self.claims if isinstance(claim, Bounce) and claim.proved(self.secret))
        for claim in bounces:
            letter = self.letters.get(claim.letter)
            if letter is None:
                continue  # a letter of before a restore: the secret is the same, the row is gone
            if letter.case_id is None or letter.participant_id is None:
                self.notices.add(claim)
            else:
                self.proved[claim], self.given[claim] = letter.case_id, letter.participant_id

    def prove_vouchers(self, tx: Connection) -> None:
        """Which addresses were given to have a text confirmed, and by whom."""
        claims = [claim for claim in self.claims if isinstance(claim, Vouch) and claim.proved(self.secret)]
        known = vouchers.some(tx, {claim.voucher for claim in claims})
        for claim in claims:
            if asked := known.get(claim.voucher):
                self.vouched[claim] = asked
                self.proved[claim], self.given[claim] = asked.case_id, asked.participant_id

    def proves_all(self, hints: Hints) -> bool:
        """Whether every address that looks like one of these is one."""
        return all(claim in self.proved or claim in self.notices or claim in self.orders for claim in hints.claims)

    def only_bounces(self, hints: Hints) -> bool:
        """Whether it came to a letter's bounce address, and to none that we gave to be answered to."""
        proved = [claim for claim in hints.claims if claim in self.proved or claim in self.notices]
        return bool(proved) and all(isinstance(claim, Bounce) for claim in proved)

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
    bounced = {c.letter for c in claims if isinstance(c, Bounce) and c.proved(known)} if known else set()
    found = Ours(
        claims=claims if known else set(),
        secret=known or b"",
        letters=outbox.some(tx, {n for n in named if n is not None} | bounced),
        by_message_id=by_message_id,
        given={r.message_id: r.participant_id for r in sent if r.participant_id is not None},
    )
    found.prove_bounces()
    found.prove_vouchers(tx)
    found.orders = analystmail.proved(tx, found.claims, found.secret)
    return found


# ---- what a report says of its letter --------------------------------------------------------------------------------


def about(tx: Connection, tie: Tie, case: Case | None, mail: Mail, told: Automated) -> About:
    """The letter, and what became of it if this mail says so. `case`: the one the mail is held against."""
    letter, became = tie.letter, fate.of_letter(mail, told, tie.letter.recipient)
    if letter.case_id is None and letter.report_id is not None:
        return About(letter.id, tie.proved, report_id=letter.report_id)
    if case is None or letter.participant_id is None or letter.case_id != case.id:
        return About(letter.id, tie.proved, to_staff=letter.case_id is None)
    says = f"letter {letter.id} came back:"
    came_back = returned(tx, letter, case, became, says, proved=tie.proved) if became else None
    return About(letter.id, tie.proved, returned=came_back)


def evidence(known: About | None) -> str:
    """How we know what a mail is about, as its row says it."""
    return "" if known is None else TOKEN if known.proved else MESSAGE_ID


def returned(tx: Connection, letter: Letter, case: Case, became: Fate, says: str, *, proved: bool) -> Returned:
    """A letter of a case that did not arrive, held against what there is: whether anybody else can be reached."""
    assert letter.participant_id is not None
    participant = cases.participant(tx, letter.participant_id)
    theirs = contacts.contacts_of(tx, participant.organisation_id)
    once = f"letter:{letter.id}:{'returned' if became is Fate.NO_MAILBOX else 'reported'}"
    return Returned(
        letter_id=letter.id, case=case, participant=participant, address=letter.recipient, made_at=letter.made_at,
        automatic=letter.automatic, fate=became, proved=proved,
        others=any(not c.undeliverable and c.address != letter.recipient.casefold() for c in theirs),
        says=says, once=once, known=queues.raised(tx, once),
    )  # fmt: skip
