"""`make demo`: one case from the first report to two weeks of silence, by real mail through a real daemon.

Every line about what happened is read back from the program, by the commands an analyst would use.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import indent
from typing import Any

from demo.stage import Stage

ACME, BOLT, CORD = "psirt@acme.example", "security@bolt.example", "security@cord.example"
REPORTER = "jo.finder@mail.example"
TITLE = "Buffer overflow in the AX-7 update service"


def main() -> None:
    """Play it."""
    stage = Stage()
    try:
        _play(stage)
    finally:
        stage.close()


def _play(stage: Stage) -> None:
    _opening(stage)
    vu = _report(stage)
    _vendors(stage, vu)
    _answers(stage, vu)
    _silence(stage, vu)
    _ending(stage, vu)


# ---- the acts -------------------------------------------------------------------------------------------------------


def _opening(stage: Stage) -> None:
    act("A coordinator opens for mail")
    stage.open()
    queues = "triage,review,bounces,quarantine,operator"
    stage.run("analyst", "add", "alice", "--email", "alice@cert.example", "--login", stage.login, "--queues", queues)
    did(f"the daemon takes mail for cert@cert.example on 127.0.0.1:{stage.port}; alice reads its queues")
    stage.run("vendor", "add", "Acme", "--email", ACME, "--key", str(stage.key("Acme", ACME)))
    stage.run("vendor", "add", "Bolt", "--email", BOLT)
    stage.run("vendor", "add", "Cord", "--email", CORD)
    did("three vendors are known; Acme's OpenPGP key is pinned")


def _report(stage: Stage) -> int:
    act("A report comes in")
    stage.mail(REPORTER, "overflow in the AX-7 updater", "An oversized manifest overwrites the stack.\nA PoC is ready.\n")
    came(REPORTER, "a report, without any number")
    item = stage.wait("the report in triage", lambda: stage.ask("queue", "show", "triage"))[0]
    did(f"queue triage, item {item['item']}: {item['why']}")
    vu = int(stage.run("case", "open", TITLE, "--from", str(item["message"])).split("#")[1].split()[0])
    did(f"alice opens VU#{vu} from it; its sender is the reporter")
    return vu


def _vendors(stage: Stage, vu: int) -> None:
    act("The vendors are written to")
    for vendor in ("Acme", "Bolt", "Cord"):
        stage.run("case", "add-vendor", str(vu), vendor)
    stage.run("case", "notify", str(vu))
    stage.wait("the letters to leave", lambda: _all_sent(stage, 3))
    for letter in _letters(stage, vu):
        did(f"letter to {letter['to']}: {letter['state']}{_seals(letter)}")
    planned = stage.ask("case", "show", str(vu))["publication"]["planned_at"]
    did(f"the 45 days run; publication is planned for {planned[:10]}")


def _answers(stage: Stage, vu: int) -> None:
    act("Vendors, a robot and a stranger write back")
    ours = stage.ask("case", "show", str(vu))
    text = f"VU#{vu}\n\nAcme is affected. Version 7.2, due in March, corrects this.\n"
    _arrives(stage, vu, ACME, "a statement, signed with Acme's key", stage.signed("Acme", ACME, f"VU#{vu} statement", text))
    text = "Bolt products are not affected.\n"
    _arrives(stage, vu, BOLT, "a statement, not signed", stage.mail(BOLT, f"Statement on VU#{vu}", text))
    away = "I am out of the office until Monday.\n"
    _arrives(stage, vu, CORD, "an out-of-office", stage.mail(CORD, f"Re: [VU#{vu}]", away, Auto_Submitted="auto-replied"))
    stage.mail("eve@elsewhere.example", f"VU#{vu}: what have you got?", "Tell me more.\n")
    came("eve@elsewhere.example", "knows the number, is no participant")
    item = stage.wait("the stranger in review", lambda: stage.ask("queue", "show", "review"))[0]
    did(f"queue review, item {item['item']}: {item['why']}; nobody is told, nothing changes")
    assert len(ours["participants"]) == 4
    for statement in stage.ask("statement", "list", str(vu)):
        reason = f" ({statement['reason']})" if statement.get("reason") else ""
        did(f"statement of {statement['vendor']}: {statement['state']}{reason}")


def _arrives(stage: Stage, vu: int, sender: str, what: str, ident: str) -> None:
    known = len(stage.ask("case", "show", str(vu))["messages"])
    came(sender, what)
    stage.wait(ident, lambda: len(stage.ask("case", "show", str(vu))["messages"]) >= known)
    found = stage.wait("the mail in its case", lambda: _from(stage, vu, sender))
    signature = found["signature"]["verdict"]
    kept = "filed as automatic: no clock stops" if found["automated"] else "filed with the case"
    did(f"{kept}; sender {found['standing']}, signature {signature}, worth: {found['assurance']}")


def _silence(stage: Stage, vu: int) -> None:
    act("Two weeks pass")
    start = datetime.now(UTC)
    before, after = start + timedelta(days=13, hours=21), start + timedelta(days=14, hours=1)
    did(f"day 13.9: {_beat(stage, before) or 'nothing is due'}")
    did(f"day 14: {_beat(stage, after) or 'nothing is due'}")
    did(f"the same beat again: {_beat(stage, after) or 'nothing is due'}")
    stage.wait("the follow-up to leave", lambda: _all_sent(stage, 4))
    reminded = [letter for letter in _letters(stage, vu) if letter["letter"].startswith("follow-up")]
    did("follow-ups out: " + ", ".join(f"{letter['letter']} to {letter['to']}" for letter in reminded))


def _ending(stage: Stage, vu: int) -> None:
    act("What an analyst sees now")
    print(indent(stage.run("case", "show", str(vu)), "  "))
    books = stage.ask("books")
    did(f"books: {books['accepted']} accepted, all accounted for: {'yes' if books['balanced'] else 'NO'}")
    did(f"journal: {stage.run('journal', 'verify').strip()}")
    act("Where to look")
    print(f"  outgoing mail   {stage.folder / 'outgoing' / 'new'}  ({len(_outgoing(stage))} letters; nobody received them)")
    print(f"  daemon's log    {stage.folder / 'daemon.log'}")
    print(f"  ask on          export MAILROUTER_DATA_DIR={stage.folder}")
    print(f"                  {Path(sys.executable).parent.relative_to(Path.cwd())}/mailrouter case show {vu}")
    print("  a plain daemon  make run\n")


# ---- reading back ----------------------------------------------------------------------------------------------------


def _letters(stage: Stage, vu: int) -> list[Any]:
    return [letter for letter in stage.ask("outbox", "list") if letter["vu"] == vu]


def _all_sent(stage: Stage, most: int) -> bool:
    letters = [letter for letter in stage.ask("outbox", "list") if letter["vu"]]
    return len(letters) >= most and all(letter["state"] == "sent" for letter in letters)


def _seals(letter: Any) -> str:
    return (", signed" if letter["signed"] else "") + (", encrypted" if letter["encrypted"] else "")


def _from(stage: Stage, vu: int, sender: str) -> Any:
    mails = [m for m in stage.ask("case", "show", str(vu))["messages"] if m["direction"] == "in" and m["from"] == sender]
    return mails[-1] if mails else None


def _beat(stage: Stage, at: datetime) -> str:
    told = stage.ask("beat", "--at", at.isoformat())
    return "; ".join(f"{one['participant']}: {one['does']}" for one in told)


def _outgoing(stage: Stage) -> list[Path]:
    return list((stage.folder / "outgoing" / "new").iterdir())


# ---- telling ---------------------------------------------------------------------------------------------------------


def act(title: str) -> None:
    """A new act."""
    print(f"\n{title}\n{'-' * len(title)}")


def came(sender: str, what: str) -> None:
    """Somebody wrote."""
    print(f"  <- {sender}: {what}")


def did(what: str) -> None:
    """What the program did with it."""
    print(f"     {what}")


if __name__ == "__main__":
    main()
