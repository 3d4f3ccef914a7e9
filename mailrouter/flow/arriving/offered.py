"""What becomes of the keys a mail brought along: candidates, revocations, incidents; with the mail, in its transaction.

Nothing offered is ever used (testbook P57). What a pinned key newly says of itself waits for an analyst too (P56). That
it revokes itself counts at once: nothing is encrypted to it any more, and no signature by it proves anything; that
somebody else says so is told, and changes nothing (P119). A key in a mail that a pinned key signed well is a rollover:
told with the one command that takes it.
"""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from mailrouter.case.events import MailArrived
from mailrouter.case.model import Case
from mailrouter.case.standing import Assurance
from mailrouter.flow.act import Doing, News
from mailrouter.flow.actor import day_of
from mailrouter.flow.arriving.offers import EXPOSED, Brought, Key, Kind
from mailrouter.pgp import KeyInfo
from mailrouter.store import candidates, cases, contacts, journal, queues
from mailrouter.store.candidates import Candidate
from mailrouter.store.contacts import PinnedKey
from mailrouter.tools import Tools


def record(doing: Doing, event: MailArrived, brought: Brought, *, fresh: bool, named: Case | None) -> None:
    """Rows and notices. `fresh`: its signature is not old. `named`: the case the mail names, wherever it lies."""
    if event.participant is None:
        doing = replace(doing, case=None)  # who takes no part in a case changes nothing of it, whatever they name
    doing.later.vain.update(dict.fromkeys(brought.vain, doing.now))
    proved = event.assurance is Assurance.VERIFIED and fresh and not event.signed.replay
    for key in brought.keys:
        match key.kind:
            case Kind.NEW | Kind.RENEWAL:
                _candidate(doing, key, proved=proved and key.signed)
            case Kind.REVOKED:
                _revoked(doing, key)
            case Kind.DISPUTED:
                _disputed(doing, key)
    if event.routed.why == EXPOSED:
        _exposed(doing, named)


# ---- candidates ------------------------------------------------------------------------------------------------------


def _candidate(doing: Doing, key: Key, *, proved: bool) -> None:
    assert key.info is not None
    assert doing.mail is not None
    before = candidates.find(doing.tx, key.organisation_id, key.info.fingerprint)
    if before is not None and not _is_news(before, key.info, proved=proved):
        return
    row = {
        "organisation_id": key.organisation_id, "fingerprint": key.info.fingerprint, "data": key.info.data,
        "user_id": key.info.label, "expires_at": key.info.expires, "source": key.source,
        "message_id": doing.mail.message_id, "proved": proved, "seen_at": doing.now,
    }  # fmt: skip
    if not candidates.offered(doing.tx, row):
        return
    told = {"organisation": key.organisation_id, "fingerprint": key.info.fingerprint, "source": key.source}
    _write(doing, "key.offered", message=doing.mail.message_id, proved=proved, **told)
    if proved or key.kind is Kind.RENEWAL:
        _tell_offered(doing, key, key.info, proved=proved)


def _is_news(before: Candidate, info: KeyInfo, *, proved: bool) -> bool:
    """Better proved, or with more in it. What an analyst refused comes again only better proved."""
    better, more = proved and not before.proved, before.data != info.data
    match before.outcome:
        case "refused":
            return better
        case "pinned":
            return more
    return better or (more and (proved or not before.proved))


def _tell_offered(doing: Doing, key: Key, info: KeyInfo, *, proved: bool) -> None:
    """A rollover, or a renewal: that one is signed by the pinned key itself, whoever carries it."""
    assert doing.mail is not None
    name, message = contacts.get(doing.tx, key.organisation_id).name, doing.mail.message_id
    pin = f"mailrouter vendor add-key {shlex.quote(name)} --candidate {info.fingerprint}"
    if key.kind is Kind.RENEWAL:
        why = f"{name} renews its key: another user id, end or subkey (message {message}); this takes it: {pin}"
    else:
        signed = f"in a mail signed with the one we hold (message {message})"
        why = f"{name} sends a new key {signed}; compare its fingerprint, then: {pin}"
    digest = sha256(info.data).hexdigest()[:16]
    once = candidates.notices_of(key.organisation_id, info.fingerprint)
    _tell_one(doing, why, once=f"{once}{digest}:{'proved' if proved else 'unproved'}")


def _tell_one(doing: Doing, why: str, once: str) -> None:
    """Whoever has the case; without one, triage."""
    case = doing.case
    queue = case.queue if case else "triage"
    if queues.add_notice(doing.tx, queue, why, doing.now, once=once, case_id=case.id if case else None):
        _write(doing, "notice", queue=queue, once=once)


# ---- revocations -----------------------------------------------------------------------------------------------------


def _revoked(doing: Doing, key: Key) -> None:
    assert key.info is not None
    assert key.pinned is not None
    assert doing.mail is not None
    apply(doing, key.pinned, key.info, f"message {doing.mail.message_id}")


def apply(doing: Doing, pinned: PinnedKey, fresh: KeyInfo, carried_by: str) -> bool:
    """The key revoked itself, or subkeys of it: from now on it stands so, and one person is told with it.

    Everybody else with a case of theirs is told by `tell`, once this is committed: their cases are not held here, and
    a batch that waits for them while it holds its own could wait for ever. For the same reason the journal's rows are
    left to the end of the transaction: whoever holds a chain must need nothing more. False, and no change, if the key
    was changed, revoked or retired meanwhile.
    """
    tx, whole = doing.tx, fresh.state == "revoked"
    if not contacts.revoked(tx, pinned, fresh.data, doing.now, whole=whole, worn_out=not fresh.can_encrypt):
        return False
    told = {"organisation": pinned.organisation_id, "fingerprint": pinned.fingerprint, "whole": whole}
    _write(replace(doing, case=None), "vendor.key-revoked", **told)
    name = contacts.get(tx, pinned.organisation_id).name
    what = "itself" if whole else "subkeys of it"
    lost = "" if fresh.can_encrypt and not whole else "; nothing is encrypted to it any more"
    why = f"the key {pinned.fingerprint} of {name} revoked {what} ({carried_by}){lost}; ask {name} for the new one"
    news = News(pinned.organisation_id, why, once=f"key-revoked:{sha256(fresh.data).hexdigest()[:16]}")
    if doing.mail is not None:
        _tell_first(doing, news)
    doing.later.news.append(news)
    return True


def _tell_first(doing: Doing, news: News) -> None:
    """The case this mail lies in, if they take part in it; else triage."""
    theirs = {case.id for case, _ in cases.open_with(doing.tx, news.organisation_id)}
    case = doing.case if doing.case and doing.case.id in theirs else None
    _tell_one(replace(doing, case=case), news.why, once=f"{news.once}:{case.id}" if case else news.once)


def tell(tools: Tools, news: Sequence[News], actor: str) -> None:
    """Whoever has an open case of theirs and was not told yet, each by itself; triage, when there is none."""
    for one in news:
        with tools.db.read() as tx:
            taking_part = cases.open_with(tx, one.organisation_id)
        for case, participant_id in taking_part:
            _tell_case(tools, one, case.id, participant_id, actor)
        if not taking_part:
            with tools.db.write() as tx:
                queues.add_notice(tx, "triage", one.why, tools.now(), once=one.once)


def _tell_case(tools: Tools, news: News, case_id: int, participant_id: int, actor: str) -> None:
    with tools.db.write() as tx:
        case = cases.lock(tx, [case_id])[case_id]
        once = f"{news.once}:{case_id}"
        about = {"case_id": case_id, "participant_id": participant_id}
        if queues.add_notice(tx, case.queue, news.why, tools.now(), once=once, **about):
            journal.write(tx, journal.case_chain(case_id), tools.now(), "notice", actor, queue=case.queue, once=once)


def _disputed(doing: Doing, key: Key) -> None:
    assert key.pinned is not None
    assert doing.mail is not None
    name, fingerprint = contacts.get(doing.tx, key.organisation_id).name, key.pinned.fingerprint
    retire = f"mailrouter vendor retire-key {shlex.quote(name)} {fingerprint} --why …"
    why = (
        f"message {doing.mail.message_id} says that the key of {name} is revoked, but the key itself does not;"
        f" nothing changed. Ask {name}; if it is so: {retire}"
    )
    _tell_one(doing, why, once=f"key-disputed:{fingerprint}:{key.digest[:16]}")


# ---- secret keys -----------------------------------------------------------------------------------------------------


def _exposed(doing: Doing, named: Case | None) -> None:
    """Whose key it is has to be told by another way than this mail's; once a day for each case, and for all others."""
    assert doing.mail is not None
    message, day = doing.mail.message_id, day_of(doing.now)
    which = f", which names VU#{named.vu}," if named else ""
    why = (
        f"private key exposed: message {message}{which} holds an OpenPGP secret key and lies in quarantine;"
        " its owner must hear of it, and revoke the key"
    )
    _write(doing, "key.exposed", message=message)
    queue, about = (named.queue, {"case_id": named.id}) if named else ("triage", {})
    queues.add_notice(doing.tx, queue, why, doing.now, once=f"secret-key:{named.id if named else ''}:{day}", **about)
    queues.add_notice(doing.tx, "operator", why, doing.now, once=f"secret-key:operator:{day}")


def _write(doing: Doing, kind: str, /, **data: object) -> None:
    chain = journal.case_chain(doing.case.id) if doing.case else journal.node_chain(doing.tools.settings.node)
    doing.later.notes.append(journal.Note(chain, doing.now, kind, doing.actor, data))
