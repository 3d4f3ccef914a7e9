"""What a batch of mails is held against: the mails as they were read, and all that the database knows of them.

A few queries for the whole batch, with its cases locked: nothing that is decided is older than what it changes. What
only some mails ask for (reports, letters, the secret of our addresses) costs a query only in a batch that has such a
mail.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import Connection

from mailrouter.case.model import Case, Participant, Report
from mailrouter.flow.arriving import offers, ties
from mailrouter.mail import authenticate, automated, parse, pgpmime, route, statement, words
from mailrouter.mail.answerform import Lines
from mailrouter.store import analysts, cases, contacts, inbox, messages, reports
from mailrouter.store.messages import Message, Reference


@dataclass(frozen=True)
class Read:
    """A mail after all that needs no transaction: parsed, opened, its sender named."""

    item: inbox.Item
    mail: parse.Mail
    opened: pgpmime.Opened
    sender: authenticate.Sender
    automated: automated.Automated
    hints: route.Hints
    brought: offers.Brought = offers.NOTHING  # keys that came with it
    form: Lines = ()  # its text line by line, if it may hold lines of the answer form

    @property
    def kind(self) -> str:
        """Who or what wrote it."""
        return str(self.automated.kind)

    @property
    def meant(self) -> bool:
        """Whether its sender means it as a Vendor Statement."""
        subject = self.opened.protected_subject or self.mail.subject
        return statement.meant(subject, self.raw_words, lambda: self.words)

    @property
    def text(self) -> str:
        """All that can be read of it, as people would; decrypted."""
        if self.opened.content is None:
            return self.mail.text
        if self.opened.content_is_entity:
            return parse.mail(self.opened.content, to_show=True).text
        return words.paragraphs(words.decode(self.opened.content, self.opened.charset, []))

    @property
    def raw_words(self) -> bytes:
        """Where its text is, transfer encoding and all."""
        return self.item.envelope.raw if self.opened.content is None else self.opened.content

    @cached_property
    def words(self) -> bytes:
        """The text a statement would be taken from: what was signed or decrypted if anything was, else all."""
        content = self.opened.content
        if content is None:
            return statement.text_of(self.item.envelope.raw)
        return statement.text_of(content) if self.opened.content_is_entity else content


@dataclass(frozen=True, slots=True)
class Vouched:
    """An analyst's word on a mail: this case, and perhaps that it is this participant's."""

    by: str
    case_id: int
    participant_id: int | None = None


@dataclass(slots=True)
class Known:
    """What the database knows about a batch. Participants and Message-IDs change as its mails are received."""

    found: route.Found
    cases: dict[int, Case]
    participants: dict[tuple[int, int], Participant]  # (case, organisation) of who takes part
    left: frozenset[tuple[int, int]]  # of who does no more
    speakers: dict[str, contacts.Speaker]
    staff: frozenset[str]  # which of the senders' addresses are analysts'
    seen: dict[str, set[int | None]]  # Message-ID -> the mails that carry it
    before: dict[int, Message]  # mail id -> what an earlier look made of it
    ours: ties.Ours  # the addresses and letters of ours that the mails name
    reports: dict[int, Report]  # that they are about

    def report_before(self, read: Read) -> Report | None:
        """The report that an earlier look made of this mail, or found it to be about."""
        before = self.before.get(read.item.mail_id)
        found = self.reports.get(before.report_id) if before and before.report_id is not None else None
        return found if found and found.rm != route.NUMBER_ONLY else None

    def began(self, read: Read, report: Report) -> None:
        """This mail began a report: what goes on from it in the same batch is about that."""
        if read.mail.message_id:
            told = {**self.found.told, (read.mail.message_id, report.address): report}
            self.found = replace(self.found, told=told)

    def message_before(self, read: Read) -> int | None:
        """The message that an earlier look made of this mail."""
        before = self.before.get(read.item.mail_id)
        return before.id if before else None


def look_up(tx: Connection, batch: Sequence[Read], vouched: Vouched | None = None, also: Collection[int] = ()) -> Known:
    """A few queries for the whole batch. `also`: further cases that are held, in one order with those it names."""
    by_number = cases.ids_by_vu(tx, route.wanted_numbers([r.hints for r in batch]))
    references = messages.referred(tx, {m for r in batch for m in (*r.hints.references, r.mail.message_id) if m})
    answered = {r.message_id: r.case_id for r in references if r.direction == "out" and r.case_id}
    ours = ties.ours(tx, [(r.hints, r.kind) for r in batch], references)
    before = messages.of_mails(tx, [r.item.mail_id for r in batch])
    about = _reports(tx, batch, references, before.values())
    wanted = {*by_number.values(), *answered.values(), *ours.case_ids, *also}
    wanted |= {vouched.case_id} if vouched else set()
    wanted |= {report.case_id for report in about.values() if report.case_id is not None}
    locked = cases.lock(tx, wanted)
    taking_part = cases.participants_of(tx, list(locked))
    moved = [vu for vu, case_id in by_number.items() if locked[case_id].vu != vu]
    ours.prove_replies(by_number, taking_part, cases.stands_for(tx, moved) if moved else ())
    known = Known(
        found=route.Found(
            cases=_numbers(by_number, locked),
            answered=answered,
            proved=ours.proved,
            reports={report.vrf: report for report in about.values()},
            written=_written(references, about),
            told=_told(references, about),
        ),
        cases=locked,
        participants={(p.case_id, p.organisation_id): p for p in taking_part if p.takes_part},
        left=frozenset((p.case_id, p.organisation_id) for p in taking_part if not p.takes_part),
        speakers=contacts.speakers(tx, [r.sender.address for r in batch]),
        staff=analysts.among(tx, {r.sender.address for r in batch}),
        seen={},
        before=before,
        ours=ours,
        reports=about,
    )
    for reference in references:
        known.seen.setdefault(reference.message_id, set()).add(reference.mail_id)
    return known


def _numbers(by_number: Mapping[int, int], locked: Mapping[int, Case]) -> dict[int, int]:
    """Which number leads where: first those of merged cases, then each case's own."""
    own = {case.vu: case.id for case in locked.values()}
    return {vu: case_id for vu, case_id in by_number.items() if vu not in own} | own


def _reports(
    tx: Connection, batch: Sequence[Read], references: Sequence[Reference], before: Iterable[Message]
) -> dict[int, Report]:
    """The reports that these mails name or are, or whose mails and letters they answer: a query only if one does."""
    numbers = {number for read in batch for number in read.hints.reports}
    answered = {one for read in batch for one in read.hints.references}
    ids = {r.report_id for r in references if r.report_id is not None and r.message_id in answered}
    return reports.named(tx, numbers, ids | {m.report_id for m in before if m.report_id is not None})


def _written(references: Sequence[Reference], about: Mapping[int, Report]) -> dict[str, Report]:
    """Message-IDs of letters of ours -> the report they are about."""
    ours = (r for r in references if r.direction == "out")
    return {r.message_id: about[r.report_id] for r in ours if r.report_id is not None and r.report_id in about}


def _told(references: Sequence[Reference], about: Mapping[int, Report]) -> dict[tuple[str, str], Report]:
    """The same of the reporters' own mails, each with the address that alone may go on with them."""
    theirs = [r for r in references if r.direction == "in"]
    found = [(r.message_id, about[r.report_id]) for r in theirs if r.report_id is not None and r.report_id in about]
    return {(one, report.address): report for one, report in found if report.rm != route.NUMBER_ONLY and report.address}
