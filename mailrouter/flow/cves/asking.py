"""A vendor that is a CVE Numbering Authority is asked for its own ID first (DOMAIN.md, process 9).

What it answers comes as a line of the letter's form, or as the only CVE ID in what it writes, and is a proposal like
everything that a mail says.
"""

from mailrouter import faults
from mailrouter.case.lifecycle import PROGRESS
from mailrouter.case.model import Participant
from mailrouter.flow import act, letters
from mailrouter.flow.act.doing import write
from mailrouter.flow.actor import Actor, case_held, still_open, taking_part
from mailrouter.flow.cves import assigning
from mailrouter.store import contacts, vulnerabilities
from mailrouter.store.vulnerabilities import Vulnerability
from mailrouter.tools import Tools

LETTER = "cve-ask"


def ask(
    tools: Tools, actor: Actor, vu: int, number: int | None = None, whom: str = "", *, again: bool = False
) -> tuple[Participant, int]:
    """A letter to the vendor that can assign: its id. `Illegal` when none can, or when it is not said which of several;
    and when it was asked before, unless it is to be asked `again`.

    From then on the ID is to be that vendor's.
    """
    tools.own_key()
    with tools.db.write() as tx:
        case = still_open(case_held(tx, vu))
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        asked = [one for one in assigning.chosen(doing, number) if not one.cve]
        if not asked:
            raise faults.Illegal(f"VU#{vu} has its CVE ID{'' if number else 's'} already: `mailrouter cve show {vu}`")
        vendor = _named(doing, whom) if whom else _the_one(doing, asked[0])
        if vendor.progress in PROGRESS["contact"]:
            raise faults.Illegal(
                f"{vendor.name} was not written to yet: `mailrouter case notify {vu}` tells of the case"
            )
        if not again and all(one.cve_vendor_id == vendor.organisation_id for one in asked):
            raise faults.Illegal(f"{vendor.name} was asked, and no ID is known as yet; `--again` asks once more")
        order = letters.Order(LETTER, {"items": _form(vu, asked)}, asks=True)
        letter_id = letters.to_participant(tx, tools, case, vendor, order, doing.now)
        assert letter_id is not None  # a letter without a step is always made
        for one in asked:
            vulnerabilities.change(tx, one.id, cve_vendor_id=vendor.organisation_id)
        write(
            doing, case, "cve.asked", participant=vendor.id, letter=letter_id, vulnerabilities=[a.number for a in asked]
        )
        act.asked(doing, vendor, letter_id)
        doing.later.write(tx)
        return vendor, letter_id


def _form(vu: int, asked: list[Vulnerability]) -> str:
    return "\n".join(f"CVE (VU#{vu}.{one.number}):" for one in asked) if len(asked) > 1 else "CVE:"


def _named(doing: act.Doing, whom: str) -> Participant:
    vendor = taking_part(doing.tx, assigning.case_of(doing), whom)
    if not contacts.get(doing.tx, vendor.organisation_id).cna:
        raise faults.Illegal(f"{vendor.name} is no CNA; `mailrouter vendor set {vendor.name!r} --cna` says it is one")
    return vendor


def _the_one(doing: act.Doing, one: Vulnerability) -> Participant:
    able = assigning.assigners(doing.tx, assigning.case_of(doing), one)
    if len(able) != 1:
        names = ", ".join(vendor.name for vendor in able)
        raise faults.Illegal(f"say which vendor: {names}" if able else "no vendor of this case is known to be a CNA")
    return able[0]
