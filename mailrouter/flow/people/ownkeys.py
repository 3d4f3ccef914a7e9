"""Our own keys, as a person orders it: made, brought along, succeeded by another, published.

Promises: one process at a time changes them; the journal keeps fingerprints; an old key is never taken away, since mail
encrypted to it must still be opened; who has an open case with us is told once of a new one, by a letter that the old
one signs.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case, Participant
from mailrouter.flow import letters
from mailrouter.flow.actor import Actor, day_of, note
from mailrouter.mail import webkey
from mailrouter.mail.entity import Attachment
from mailrouter.pgp import KeyInfo
from mailrouter.store import cases, contacts, journal
from mailrouter.tools import Tools, key_turn

LIFETIME = "2y"  # of a successor: see docs/decisions.md
CHANGED = "own-key-changed"
BEGUN, ROTATED = "key.rotation-begun", "key.rotated"  # in the journal
BY_HAND = MADE, IMPORTED = "key.made", "key.imported"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def make(
    tools: Tools, actor: Actor, name: str = "", address: str = "", *, expires: str = "", another: bool = False
) -> KeyInfo:
    """A new key of ours, for `name` and `address` ('': those of our identity). `Illegal` when there is one already.

    `expires`: such as `2y` or a date; '' for never. With `another` it is made beside the one there is; letters are
    signed with the newest, or with `identity.key`.
    """
    _to_come(tools, expires)
    with key_turn(tools.settings):
        ours = tools.pgp.own_keys()
        if ours and not another:
            raise faults.Illegal(f"there is a key already, {ours[-1].fingerprint}; --force makes another beside it")
        key = _made(tools, name, address, expires)
    _note(tools, actor, MADE, key)
    return key


def _made(tools: Tools, name: str, address: str, expires: str) -> KeyInfo:
    identity = tools.settings.identity
    return tools.pgp.make_key(name or identity.name, address or identity.address, expires)


def _to_come(tools: Tools, expires: str) -> None:
    if _DATE.fullmatch(expires) and expires <= day_of(tools.now()):
        raise faults.Refused(f"--expires {expires} lies in the past")


def bring(tools: Tools, actor: Actor, data: bytes) -> KeyInfo:
    """A secret key from a file becomes ours. `Refused` for anything else, and for one that cannot sign."""
    with key_turn(tools.settings):
        key = tools.pgp.import_own(data)
    _note(tools, actor, IMPORTED, key)
    return key


def _note(tools: Tools, actor: Actor, kind: str, key: KeyInfo) -> None:
    with tools.db.write() as tx:
        note(tx, tools, actor, kind, fingerprint=key.fingerprint)


# ---- one after another ----------------------------------------------------------------------------------------------


Change = tuple[KeyInfo, KeyInfo, Attachment]  # from which key, to which, and that one as letters bring it


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did. `old` is None when no key before it can sign; `signs`: letters are signed with the new."""

    new: KeyInfo
    old: KeyInfo | None
    signs: bool
    told: tuple[int, ...]  # the letters that say so


def rotate(tools: Tools, actor: Actor, *, to: str = "", expires: str = LIFETIME, why: str = "") -> Rotated:
    """Another key signs from now on: a new one, or the one of ours with the fingerprint `to`.

    Running it again is safe: what was broken off goes on with the key it was about, since nobody would ever be told of
    one that is passed over. While `identity.key` names another, nobody is told yet: the letter would not be true.
    """
    _to_come(tools, expires)
    with key_turn(tools.settings):
        left, was = _left_off(tools)
        before = _signing(tools)
        new = _of_ours(tools, to) if to else left
        if new is None or left is None:
            _begin(tools, actor, to, before)
        new = new or _made(tools, "", "", expires)
        old = _known_until_now(tools, new, was, before)
        if old is not None:
            tools.pgp.vouch_for(new.fingerprint, old.fingerprint)
    signs = tools.pgp.signing_key().fingerprint == new.fingerprint
    attached = Attachment(f"OpenPGP_{new.fingerprint}.asc", tools.pgp.export(new.fingerprint), "application/pgp-keys")
    with tools.db.write() as tx:  # that it is at its end stands there with the letters or not at all
        letter_ids = _tell(tx, tools, actor, (old, new, attached)) if signs and old else []
        told = {"fingerprint": new.fingerprint, "was": old.fingerprint if old else "", "signs": signs}
        note(tx, tools, actor, ROTATED, **told, **({"why": why} if why else {}))
    return Rotated(new, old, signs, tuple(letter_ids))


def _left_off(tools: Tools) -> tuple[KeyInfo | None, str]:
    """The key of a rotation that was broken off, or of which nobody could be told yet; and the one known until then."""
    with tools.db.read() as tx:
        rows = journal.of_kinds(tx, [BEGUN, ROTATED, *BY_HAND])
    last = next((row for row in reversed(rows) if row.kind not in BY_HAND), None)
    if last is None or last.data.get("signs"):
        return None, ""
    meant = {last.data.get("to") or last.data.get("fingerprint")}
    others = {*last.data.get("had", []), *(row.data["fingerprint"] for row in rows if row.kind in BY_HAND)}
    able = [key for key in tools.pgp.own_keys() if key.can_sign and key.state == "valid"]
    about = [key for key in able if (key.fingerprint in meant if any(meant) else key.fingerprint not in others)]
    return (about[-1], str(last.data["was"])) if about else (None, "")


def _begin(tools: Tools, actor: Actor, to: str, before: KeyInfo | None) -> None:
    """Which other keys there are stands in the journal before there is one more."""
    had = [key.fingerprint for key in tools.pgp.own_keys()]
    if not had:
        raise faults.Illegal("there is no key yet that another could follow: `mailrouter key make`")
    with tools.db.write() as tx:
        note(tx, tools, actor, BEGUN, had=had, to=to, was=before.fingerprint if before else "")


def _known_until_now(tools: Tools, new: KeyInfo, was: str, before: KeyInfo | None) -> KeyInfo | None:
    """Whose word for the new one people can check: of the key that signed before all of this began."""
    known = next((key for key in tools.pgp.own_keys() if key.fingerprint == was != new.fingerprint), before)
    usable = known is not None and known.fingerprint != new.fingerprint and known.state == "valid"
    return known if usable else _predecessor(tools, new)


def _signing(tools: Tools) -> KeyInfo | None:
    try:
        return tools.pgp.signing_key()
    except faults.Refused:
        return None  # it has expired, or is not there: it can vouch for nothing


def _of_ours(tools: Tools, fingerprint: str) -> KeyInfo:
    found = next((key for key in tools.pgp.own_keys() if key.fingerprint == fingerprint), None)
    if found is None:
        raise faults.NotFound(f"we hold no key {fingerprint}; `mailrouter key import` brings one")
    if not found.can_sign or found.state != "valid":
        raise faults.Refused(f"the key {fingerprint} cannot sign letters: it is {found.state}, or not made for it")
    return found


def _predecessor(tools: Tools, new: KeyInfo) -> KeyInfo | None:
    """The newest other key of ours that can sign: it signed until now."""
    others = (key for key in tools.pgp.own_keys() if key.fingerprint != new.fingerprint)
    return next((key for key in reversed(tuple(others)) if key.can_sign and key.state == "valid"), None)


def _tell(tx: Connection, tools: Tools, actor: Actor, change: Change) -> list[int]:
    """One letter to each organisation that has had one of ours in an open case, in its oldest such case."""
    whom = {p.organisation_id: p for p in reversed(cases.correspondents(tx))}.values()
    held = cases.lock(tx, [p.case_id for p in whom])
    made = []
    for participant in whom:
        if contacts.address_for(tx, participant.organisation_id) is not None:
            made += _letter(tx, tools, actor, held[participant.case_id], participant, change)
    return made


def _letter(
    tx: Connection, tools: Tools, actor: Actor, case: Case, participant: Participant, change: Change
) -> list[int]:
    old, new, attached = change
    order = letters.Order(
        CHANGED, {"old_fingerprint": letters.in_groups(old.fingerprint)}, attachments=[attached],
        step=f"{CHANGED}:{participant.organisation_id}:{new.fingerprint}", signer=old.fingerprint,
    )  # fmt: skip
    letter_id = letters.to_participant(tx, tools, case, participant, order, tools.now())
    if letter_id is None:
        return []
    note(tx, tools, actor, "letter.queued", case, letter=letter_id, name=CHANGED, participant=participant.id)
    return [letter_id]


# ---- for everybody --------------------------------------------------------------------------------------------------


def published(tools: Tools, fingerprint: str = "") -> dict[str, bytes]:
    """Path -> content of what belongs below the web site's root: a Web Key Directory and the armored key.

    `Refused` when the key has no user id with our address; further addresses of ours are served if it names them.
    """
    identity = tools.settings.identity
    keys = {identity.address: tools.pgp.for_directory(identity.address, fingerprint)}
    for address in identity.also:
        try:
            keys[address] = tools.pgp.for_directory(address, fingerprint)
        except faults.Refused:
            continue  # the key is not for that address: nobody looks for it there
    return webkey.files(keys) | {webkey.ARMORED: tools.pgp.export(fingerprint)}
