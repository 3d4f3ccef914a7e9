"""What SSVC Coordinator Publish recommends for a case: by what the case says, and what an analyst answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter.case import ssvcpublish
from mailrouter.case.model import Case
from mailrouter.case.ssvcpublish import Answers, Decision
from mailrouter.flow.actor import Actor, case_held, note
from mailrouter.store import cases
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True)
class Recommended:
    """`answered` goes before `derived`; `decisions` has one, unless an open question may still change it."""

    answered: Mapping[str, str]  # by an analyst
    derived: Mapping[str, str]  # from the case as it stands
    decisions: tuple[Decision, ...]
    reasons: tuple[str, ...]  # of the one

    @property
    def known(self) -> Mapping[str, str]:
        """Every question that has an answer."""
        return ssvcpublish.checked({**self.derived, **self.answered})

    @property
    def words(self) -> str:
        """In one line."""
        if len(self.decisions) > 1:
            open_ = ", ".join(question for question in ssvcpublish.QUESTIONS if question not in self.known)
            return f"open until an analyst answers: {open_}"
        return str(self.decisions[0]) + (f" ({'; '.join(self.reasons)})" if self.reasons else "")


def of(tx: Connection, case: Case) -> Recommended:
    """As of now."""
    kept = cases.publish_ssvc(tx, case.id)
    answered = ssvcpublish.checked(json.loads(kept)) if kept else {}
    derived = ssvcpublish.derived(case, cases.participants_of(tx, [case.id]))
    known = {**derived, **answered}
    decisions = tuple(ssvcpublish.possible(known))
    whole = len(known) == len(ssvcpublish.QUESTIONS)
    reasons = ssvcpublish.recommend(Answers(**known)).reasons if whole else ()
    return Recommended(answered, {q: a for q, a in derived.items() if q not in answered}, decisions, reasons)


def answer(tools: Tools, actor: Actor, vu: int, given: Mapping[str, str]) -> Recommended:
    """These answers stand from now on, in place of what the case says; '' leaves a question to the case again."""
    wanted = {question: said for question, said in given.items() if said}
    ssvcpublish.checked(wanted)
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        kept = cases.publish_ssvc(tx, case.id)
        before = json.loads(kept) if kept else {}
        after = {question: said for question, said in {**before, **given}.items() if said}
        cases.change(tx, case.id, publish_ssvc=json.dumps(after, sort_keys=True) if after else "")
        note(tx, tools, actor, "note.ssvc", case, answers=after)
        return of(tx, case)
