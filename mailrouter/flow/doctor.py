"""Is everything well? One look at each thing that must be, in words an operator can act on.

Promises: looks only, and always ends: what cannot be looked at is said, and stops no other look. `bad` means that mail
is or will be lost, unread or unanswered unless somebody acts; `warning`, that somebody should know.
"""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError

from mailrouter import cve
from mailrouter import tools as world
from mailrouter.faults import Fault
from mailrouter.flow import mailboxes
from mailrouter.flow.people import keyhealth
from mailrouter.flow.people.keyhealth import Said, State
from mailrouter.flow.publishing import health
from mailrouter.flow.telling import tell
from mailrouter.flow.timing import watch
from mailrouter.settings import Settings, ensure_data_dir
from mailrouter.store import analysts, books, inbox, machine, migrate, outbox, queues, server
from mailrouter.store.engine import Database
from mailrouter.store.inbox import Holder
from mailrouter.tools import Tools

LATE = timedelta(hours=4)  # a letter should have left by then
SANE_YEARS = range(2025, 2101)
CLOCKS_DIFFER = (5.0, 60.0)  # seconds: a warning, bad
LITTLE_DISK = 1024**3  # bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One line."""

    name: str
    state: State
    says: str


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at, and when."""

    tools: Tools
    now: datetime

    @property
    def settings(self) -> Settings:
        """As loaded."""
        return self.tools.settings


Look = Callable[[Patient], Said]


def examine(settings: Settings, now: datetime) -> list[Finding]:
    """Every finding, in the order of the table; several for a thing with several troubles. `Refused` as at a start."""
    ensure_data_dir(settings)
    db = Database(settings.database.url)
    try:
        patient = Patient(world.make(settings, Holder(settings.node, "doctor"), db), now)
        return _examine(patient)
    finally:
        db.close()


def _examine(patient: Patient) -> list[Finding]:
    found: list[Finding] = []
    for name, needs, look in CHECKS:
        ill = next((f.name for f in found if f.name in needs and f.state == "bad"), "")
        said: Said = [("warning", f"not looked at, because of {ill}")] if ill else _looked(look, patient)
        found += [Finding(name, state, says) for state, says in said]
    return found


def _looked(look: Look, patient: Patient) -> Said:
    try:
        yield from look(patient)
    except Fault as fault:
        yield "bad", str(fault)
    except DBAPIError as trouble:
        yield "bad", f"the database does not answer ({type(trouble.orig).__name__})"
    except OSError as trouble:
        yield "bad", trouble.strerror or type(trouble).__name__


# ---- this machine ----------------------------------------------------------------------------------------------------


def _settings(patient: Patient) -> Said:
    yield "good", f"node {patient.settings.node}, data in {patient.settings.data_dir}"


def _data_dir(patient: Patient) -> Said:
    folder = patient.settings.data_dir
    status = folder.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid():
        yield "warning", f"{folder} belongs to another user ({status.st_uid})"
    if mode & 0o077:
        yield "bad", f"{folder} has mode {mode:04o}: others may read mail and keys; chmod 700"
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield "bad", f"{folder} cannot be written to"
    else:
        yield "good", f"mode {mode:04o}"


def _disk(patient: Patient) -> Said:
    free = shutil.disk_usage(patient.settings.data_dir).free
    needed = 2 * patient.settings.smtp.max_size
    if free < needed:
        yield "bad", f"{_mib(free)} free: the doors refuse mail"
    else:
        yield ("good" if free >= LITTLE_DISK else "warning"), f"{_mib(free)} free"


def _mib(octets: int) -> str:
    return f"{octets // 2**20} MiB"


def _clock(patient: Patient) -> Said:
    if patient.now.year not in SANE_YEARS:
        yield "bad", f"it says the year {patient.now.year}"
        return
    with patient.tools.db.read() as tx:
        ahead = server.seconds_ahead(tx, patient.now)
    other = "the journal" if patient.tools.db.is_sqlite else "the database's clock"
    apart = max(ahead, 0.0) if patient.tools.db.is_sqlite else abs(ahead)
    state: State = "bad" if apart > CLOCKS_DIFFER[1] else "warning" if apart > CLOCKS_DIFFER[0] else "good"
    yield state, f"{apart:.0f} s apart from {other}" if apart >= 1 else f"agrees with {other}"


# ---- the database ----------------------------------------------------------------------------------------------------


def _database(patient: Patient) -> Said:
    with patient.tools.db.read() as tx:
        found = server.version(tx)
        broken = list(server.broken_promises(tx))
        async_standby = server.loses_on_failover(tx)
    yield from (("bad", what) for what in broken)
    if async_standby:
        yield "warning", "commits do not wait for the standby: a failover may lose acknowledged mail"
    if not broken:
        yield "good", found


def _migrations(patient: Patient) -> Said:
    migrate.check(patient.tools.db)
    yield "good", f"schema {migrate.newest()}"


def _books(patient: Patient) -> Said:
    with patient.tools.db.read() as tx:
        total = books.count(tx)
        oldest = inbox.oldest_pending(tx)
    if not total.balanced:
        yield "bad", "they do not balance: `mailrouter books`"
    if oldest is not None and patient.now - oldest > watch.OLD_MAIL:
        yield "bad", f"a mail of {oldest:%Y-%m-%d %H:%M} UTC is not received yet; does a worker run?"
    elif total.balanced:
        yield "good", f"{total.total.accepted} accepted, {total.total.pending} pending"


# ---- keys ------------------------------------------------------------------------------------------------------------


def _own_key(patient: Patient) -> Said:
    yield from keyhealth.own_key(patient.tools, patient.now)


def _archive_key(patient: Patient) -> Said:
    yield from keyhealth.archive_key(patient.tools, patient.now)


def _vendors_keys(patient: Patient) -> Said:
    yield from keyhealth.vendors_keys(patient.tools, patient.now)


# ---- mail out --------------------------------------------------------------------------------------------------------


def _relay(patient: Patient) -> Said:
    trouble = patient.tools.relay.probe()
    if trouble:
        yield "bad", trouble
    elif patient.tools.relay.nobody_receives:
        yield "warning", f"nobody receives this: letters go to {patient.settings.relay.url} only"
    else:
        yield "good", "takes our mail"


def _outbox(patient: Patient) -> Said:
    with patient.tools.db.read() as tx:
        states = [letter.state for letter, _vu in outbox.listed(tx, everything=False)]
        oldest, paused = outbox.oldest_unsent(tx), outbox.paused(tx)
    if paused:
        yield "warning", "paused: nothing leaves until `mailrouter outbox resume`"
    if oldest is not None and patient.now - oldest > LATE:
        yield "warning", f"a letter of {oldest:%Y-%m-%d %H:%M} UTC has not left"
    waiting = [f"{states.count(state)} {state}" for state in ("held", "failed") if state in states]
    if waiting:
        yield "warning", f"{', '.join(waiting)}: `mailrouter outbox list --unsent`"
    elif not paused:
        yield "good", f"{states.count('queued')} queued"


# ---- who is there ----------------------------------------------------------------------------------------------------


def _beat(patient: Patient) -> Said:
    with patient.tools.db.read() as tx:
        nodes = machine.nodes(tx)
    for node in nodes:
        last = node.beat_at
        dead = last is not None and patient.now - last > watch.DEAD_BEAT
        yield ("bad" if dead else "good"), f"{node.name}: {f'{last:%Y-%m-%d %H:%M:%S} UTC' if last else 'no ticker'}"
    if not any(node.beat_at for node in nodes):
        yield "warning", "no ticker runs: nobody is reminded"


def _doors(patient: Patient) -> Said:
    with patient.tools.db.read() as tx:
        ours = next((node for node in machine.nodes(tx) if node.name == patient.settings.node), None)
    if ours is None:
        yield "warning", "no daemon runs on this node"
        return
    dead = [door for door in ours.doors.split() if not watch.greets(door)]
    yield ("bad", f"no greeting from {', '.join(dead)}") if dead else ("good", ours.doors or "none")


def _mailboxes(patient: Patient) -> Said:
    yield from mailboxes.said(mailboxes.reconcile(patient.tools.db, patient.settings.imap))


def _readers(patient: Patient) -> Said:
    with patient.tools.db.read() as tx:
        staff = analysts.everyone(tx)
        waiting = {name: count for name, (count, _since) in queues.sizes(tx).items()}
        read = {q for a in staff if not a.away(patient.now) for q in tell.reads(a, staff, patient.now)}
        own = [a.queue for a in staff]
        unread = {tell.shown_queue(tx, q): waiting.get(q, 0) for q in (*READ_BY_ANALYSTS, *own) if q not in read}
    for name, count in unread.items():
        yield ("bad", f"nobody reads {name}: {count} wait") if count else ("warning", f"nobody reads {name}")
    if not unread:
        yield "good", f"{len(staff)} analysts"


READ_BY_ANALYSTS = ("triage", "review", "bounces", "quarantine")


def _site(patient: Patient) -> Said:
    yield from health.look(patient.tools, patient.now)


def _operator(patient: Patient) -> Said:
    address = patient.settings.identity.operator
    yield ("good", address) if address else ("warning", "identity.operator is not set: nobody is told of alarms")


def _cve(patient: Patient) -> Said:
    """Only of a house that has an account; without the service mail goes on as ever."""
    if not patient.settings.cve.url:
        return
    try:
        account = cve.Service(patient.settings.cve, CVE_SECONDS).account()
    except (cve.Refused, cve.Unknown) as trouble:
        yield "warning", str(trouble)
        return
    state: State = "good" if account.active and account.left >= FEW_IDS else "warning"
    yield state, f"{account.user} is {'active' if account.active else 'not active'}, {account.left} CVE IDs left"


CVE_SECONDS = 5.0
FEW_IDS = 3

CHECKS: tuple[tuple[str, tuple[str, ...], Look], ...] = (  # a name, what must not be bad for it, how to look
    ("settings", (), _settings),
    ("data_dir", (), _data_dir),
    ("disk", ("data_dir",), _disk),
    ("database", (), _database),
    ("migrations", ("database",), _migrations),
    ("clock", ("database", "migrations"), _clock),
    ("own key", (), _own_key),
    ("archive key", ("own key",), _archive_key),
    ("vendors' keys", ("database", "migrations"), _vendors_keys),
    ("relay", (), _relay),
    ("cve", (), _cve),
    ("outbox", ("database", "migrations"), _outbox),
    ("beat", ("database", "migrations"), _beat),
    ("doors", ("database", "migrations"), _doors),
    ("mailboxes", ("database", "migrations"), _mailboxes),
    ("readers", ("database", "migrations"), _readers),
    ("operator", (), _operator),
    ("books", ("database", "migrations"), _books),
    ("site", ("database", "migrations"), _site),
)
