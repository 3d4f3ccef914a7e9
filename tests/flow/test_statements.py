"""Vendor Statements: which stand, which are held and why, what exactly is kept, and what an analyst may do."""

import hashlib
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from mailrouter.case.model import Statement
from mailrouter.faults import Illegal, NotFound
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import closing, coordinate, vouching
from mailrouter.flow.filing import file, statements
from mailrouter.flow.people import directory
from mailrouter.flow.reports import accept
from mailrouter.mail.envelope import Envelope
from mailrouter.store import messages
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.pgp import mails as sealed_mails
from tests.pgp.cipher import Session
from tests.pgp.forge import armor

SUBJECT = f"VU#{VU} statement"
TEXT = f"VU#{VU}: our product is not affected.\n"
OTHER = 654321


@pytest.fixture
def house(world: World) -> World:
    """A vendor with a pinned key, written to."""
    world.vendor_case(key=True)
    return world


def states(world: World) -> list[tuple[str, str]]:
    return [(s.state, s.reason) for s in world.statements()]


def newest(world: World) -> Statement:
    return world.statements()[-1]


# ---- stands ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("P01")
def test_meant_verified_and_bound_stands_and_is_kept_byte_for_byte(house: World, tmp_path: Path) -> None:
    text = "VU#123456 \t\n\nOur caf\u00e9 is not affected.  \n-- \nlast line\n"
    house.feed(house.signed(text, SUBJECT))
    kept = newest(house)
    assert (kept.state, kept.reason, kept.bound, kept.vendor, kept.form) == ("verified", "", True, VENDOR, "mime")
    assert kept.verbatim == text.replace("\n", "\r\n").encode()
    assert kept.sha256 == hashlib.sha256(kept.verbatim).hexdigest()
    assert (kept.fingerprint, kept.signed_at) == (house.keymaker.vendor.fingerprint, house.clock())
    plain_gpg_verifies(house, kept, tmp_path)


def plain_gpg_verifies(house: World, kept: Statement, folder: Path) -> None:
    (folder / "statement").write_bytes(kept.signed_bytes)
    (folder / "statement.asc").write_bytes(kept.signature)
    ring = house.keymaker.home
    done = subprocess.run(
        ["gpg", "--homedir", ring, "--verify", folder / "statement.asc", folder / "statement"],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.row("P02")
def test_a_cleartext_signed_statement_keeps_its_block(house: World) -> None:
    house.feed(house.cleartext(TEXT, SUBJECT))
    kept = newest(house)
    assert (kept.state, kept.form, kept.signature) == ("verified", "cleartext", b"")
    assert kept.verbatim.replace(b"\r\n", b"\n") == TEXT.encode()
    assert b"BEGIN PGP SIGNED MESSAGE" in kept.signed_bytes


@pytest.mark.row("P03")
def test_an_encrypted_and_signed_statement_is_meant_by_the_subject_inside(house: World) -> None:
    inner = (
        f'Content-Type: text/plain; protected-headers="v1"\r\nSubject: {SUBJECT}\r\n\r\nNot affected.\r\n'
    ).encode()
    house.feed(house.encrypted(inner, signer=house.keymaker.vendor))
    assert states(house) == [("verified", "")]
    assert newest(house).verbatim == b"Not affected.\r\n"


def test_marker_lines_mean_one_and_say_what_of_the_mail_it_is(house: World) -> None:
    text = f"Hello,\n== VENDOR STATEMENT VU#{VU} ==\nNot affected.\n== END ==\nRegards\n"
    house.feed(house.signed(text, f"Re: VU#{VU}"))
    assert (newest(house).state, newest(house).verbatim) == ("verified", b"Not affected.\r\n")
    assert newest(house).signed_bytes.count(b"Regards") == 1


def test_signed_mail_that_is_not_meant_as_one_is_an_answer(house: World) -> None:
    got = house.fed(house.signed(TEXT, f"Re: VU#{VU}"))
    assert (got.why, states(house), house.turn()) == ("answer", [], "us")


# ---- newer, older, again --------------------------------------------------------------------------------------------


def test_a_newer_one_supersedes_and_must_be_approved_anew(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    statements.approve(house.tools, house.alice, VU, VENDOR)
    house.clock.forward(days=1)
    house.feed(house.signed(TEXT + "Not at all.\n", SUBJECT))
    old, new = house.statements()
    assert (old.state, new.state) == ("superseded", "verified")
    assert (old.approved_by, new.approved_by) == ("alice", "")


@pytest.mark.row("P94")
def test_an_older_signing_time_never_supersedes(house: World) -> None:
    house.clock.forward(days=10)
    affected = house.signed(TEXT.replace("not ", ""), SUBJECT, at=house.clock() - timedelta(days=5))
    house.feed(house.signed(TEXT, SUBJECT))
    house.feed(affected)
    assert states(house) == [("verified", ""), ("held", "it was signed before the statement that stands")]


@pytest.mark.row("P94")
def test_nor_after_the_newer_one_was_withdrawn(house: World) -> None:
    affected = house.signed(TEXT.replace("not ", ""), SUBJECT)
    house.clock.forward(days=1)
    house.feed(house.signed(TEXT, SUBJECT))
    statements.withdraw(house.tools, house.alice, VU, VENDOR, "they asked us to")
    house.feed(affected)
    assert [s.state for s in house.statements()] == ["withdrawn", "held"]
    assert newest(house).reason == "it was signed before the statement that stands"
    house.clock.forward(days=1)
    house.feed(house.signed(TEXT + "After all.\n", SUBJECT))
    assert newest(house).state == "verified"


@pytest.mark.row("P93")
def test_what_was_signed_for_somebody_else_and_encrypted_anew_to_us_does_not_stand(house: World) -> None:
    """Surreptitious forwarding: Eve hands on what she was sent, as the vendor's own to us."""
    keymaker = house.keymaker
    for_eve = keymaker.gpg(
        *house._faked(None), "--local-user", keymaker.vendor.fingerprint, "-z", "0", "--sign",
        given=b"Dear Eve, we are affected.\n",
    )  # fmt: skip
    session = Session(keymaker, keymaker.cert)
    block = armor("MESSAGE", session.pkesk + session.protected(for_eve)).replace(b"\n", b"\r\n")
    got = house.fed(house.envelope(sealed_mails.text(block, house._head(PSIRT, SUBJECT, ""))))
    assert (got.assurance, got.flags, got.decrypted) == ("verified", "unbound", "ok")
    assert states(house) == [("held", "its signature is good, but the signed text does not name the VU#")]


@pytest.mark.row("P91")
def test_the_same_signed_text_again_changes_nothing(house: World) -> None:
    first = house.signed(TEXT, SUBJECT)
    house.feed(first)
    statements.approve(house.tools, house.alice, VU, VENDOR)
    house.feed(house.envelope(first.raw.replace(b"Message-ID: <", b"Message-ID: <again-", 1)))
    assert states(house) == [("verified", ""), ("held", "the same signed text came before")]
    assert house.statements()[0].approved_by == "alice"


@pytest.mark.row("P92")
def test_a_signature_from_another_case_is_a_replay(house: World) -> None:
    house.case(VENDOR, vu=OTHER)
    first = house.signed("Not affected, whatever it is.\n", f"VU#{OTHER} statement")
    house.feed(first)
    got = house.fed(house.envelope(first.raw.replace(str(OTHER).encode(), str(VU).encode(), 1)))
    assert got.flags.split() == ["message-id-reused", "replay", "unbound"]
    assert [(s.state, s.reason) for s in house.statements()] == [
        ("held", "the same signature came before, in another case")
    ]


@pytest.mark.row("P90")
def test_a_genuine_statement_on_another_case_is_unbound(house: World) -> None:
    got = house.fed(house.signed(f"VU#{OTHER}: not affected\n", SUBJECT))
    assert (got.assurance, got.flags) == ("verified", "unbound")
    assert states(house) == [("held", "its signature is good, but the signed text does not name the VU#")]
    assert newest(house).bound is False


@pytest.mark.row("P72")
def test_an_old_signature_is_stale(house: World) -> None:
    got = house.fed(house.signed(TEXT, SUBJECT, at=house.clock() - timedelta(days=40)))
    assert (got.assurance, got.flags) == ("verified", "stale")
    assert states(house) == [("held", "it was signed more than 30 days before it came")]


# ---- held -----------------------------------------------------------------------------------------------------------


def unsigned(world: World) -> Envelope:
    return world.mail(PSIRT, SUBJECT, TEXT)


def by_eve(world: World) -> Envelope:
    world.organisation("Eve & Co", "eve@eve.example", key=world.keymaker.eve)
    return world.signed(TEXT, SUBJECT, signer=world.keymaker.eve)


def by_nobody(world: World) -> Envelope:
    return world.signed(TEXT, SUBJECT, signer=world.keymaker.eve)


def broken(world: World) -> Envelope:
    good = world.signed(TEXT, SUBJECT)
    return world.envelope(good.raw.replace(b"not affected", b"affected"))


def partial(world: World) -> Envelope:
    good = world.signed(TEXT, SUBJECT).raw
    head, _, body = good.partition(b"MIME-Version: 1.0\r\n")
    outer = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=o"\r\n\r\n--=o\r\n'
    footer = b"\r\n--=o\r\nContent-Type: text/plain\r\n\r\nWe are affected after all.\r\n--=o--\r\n"
    return world.envelope(head + outer + body + footer)


def all_quoted(world: World) -> Envelope:
    return world.signed(f"> VU#{VU}: not affected\n> at all\n", f"{SUBJECT}")


def only_forwarded(world: World) -> Envelope:
    entity = (
        f'Content-Type: multipart/mixed; boundary="i"; protected-headers="v1"\r\nSubject: {SUBJECT}\r\n\r\n'
        f"--i\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nVU#{VU}: affected\r\n--i--\r\n"
    ).encode()
    return world.signed("", SUBJECT, content=entity)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (unsigned, "it is not signed"),
        (by_eve, "it is signed by a key that is not pinned to its sender's organisation"),
        (partial, "its signature covers only a part of it"),
        (all_quoted, "it holds no text of its own"),
        (only_forwarded, "it holds no text of its own"),
    ],
)
def test_less_than_that_is_held_with_the_reason(house: World, made: object, why: str) -> None:
    house.feed(made(house))  # type: ignore[operator]
    assert states(house) == [("held", why)]
    assert house.turn() == "us"  # it is an answer all the same


@pytest.mark.parametrize("made", [by_nobody, broken])
def test_an_invalid_signature_is_held_in_gnupgs_words(house: World, made: object) -> None:
    house.feed(made(house))  # type: ignore[operator]
    [(state, why)] = states(house)
    assert (state, bool(why)) == ("held", True)
    assert "gnupg:" not in why.lower()


def test_quoted_text_never_binds_and_never_is_part_of_it(house: World) -> None:
    house.feed(house.signed(f"Not affected.\n> On VU#{VU} you wrote:\n", SUBJECT))
    assert states(house) == [("held", "its signature is good, but the signed text does not name the VU#")]
    assert newest(house).verbatim == b"Not affected.\r\n"


def test_nothing_held_ever_supersedes(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    house.clock.forward(days=1)
    house.feed(unsigned(house), by_eve(house), partial(house))
    assert [s.state for s in house.statements()] == ["verified", "held", "held", "held"]
    assert house.turn() == "us"


def test_a_reporters_mail_is_no_vendor_statement(house: World) -> None:
    got = house.fed(house.mail("eve@eve.example", "a statement of mine"))
    case = accept.from_message(house.tools, house.alice, got.id, accept.Wanted("From a mail", OTHER)).case
    assert house.statements(case.vu) == []
    with pytest.raises(Illegal, match="is not from a vendor"):
        statements.take(house.tools, house.alice, got.id)


# ---- take, approve, withdraw ----------------------------------------------------------------------------------------


def test_taking_a_verified_mail_makes_it_stand(house: World) -> None:
    got = house.fed(house.signed("We have looked: not affected.\n", f"Re: VU#{VU}"))
    taken = statements.take(house.tools, house.alice, got.id)
    assert (taken.state, taken.reason, taken.bound, taken.verbatim) == (
        "verified", "", False, b"We have looked: not affected.\r\n",
    )  # fmt: skip
    assert (house.turn(), house.deadlines()) == ("nobody", [])
    with pytest.raises(Illegal, match="is verified already"):
        statements.take(house.tools, house.alice, got.id)


def test_taking_a_held_one_with_a_good_signature_makes_it_stand_and_supersede(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    got = house.fed(house.signed("Not affected at all.\n", SUBJECT))
    statements.take(house.tools, house.alice, got.id)
    assert [s.state for s in house.statements()] == ["superseded", "verified"]


@pytest.mark.row("P94")
def test_what_was_signed_before_what_stands_cannot_be_taken(house: World) -> None:
    older = house.signed(f"VU#{VU}: affected.\n", f"Re: VU#{VU}", at=house.clock() - timedelta(days=2))
    house.feed(house.signed(TEXT, SUBJECT))
    got = house.fed(older)
    with pytest.raises(Illegal, match=f"message {got.id} cannot stand: it was signed before .* to sign it anew"):
        statements.take(house.tools, house.alice, got.id)
    assert states(house) == [("verified", "")]


@pytest.mark.row("P91")
@pytest.mark.row("P92")
def test_nor_can_what_came_before_in_this_case_or_another(house: World) -> None:
    house.case(VENDOR, vu=OTHER)
    for vu in (OTHER, VU):
        first = house.signed(f"VU#{VU}: affected {vu}.\n", f"Re: VU#{vu}")
        house.feed(first)
        raw = first.raw.replace(b"Message-ID: <", b"Message-ID: <again-", 1)
        got = house.fed(house.envelope(raw.replace(f"VU#{vu}".encode(), f"VU#{VU}".encode(), 1)))
        with pytest.raises(Illegal, match=f"message {got.id} cannot stand: the same .* came before"):
            statements.take(house.tools, house.alice, got.id)
    assert (states(house), house.statements(OTHER)) == ([], [])


@pytest.mark.row("P78")
@pytest.mark.parametrize("made", ["signed", "cleartext"])
def test_what_was_good_when_it_came_is_taken_as_it_was_though_its_key_is_retired(house: World, made: str) -> None:
    got = house.fed(getattr(house, made)(TEXT, f"Re: VU#{VU}"))
    directory.retire_key(house.tools, house.alice, VENDOR, got.fingerprint, "replaced")
    taken = statements.take(house.tools, house.alice, got.id)
    assert (taken.state, taken.fingerprint, taken.signed_at, taken.bound) == (
        "verified", got.fingerprint, got.signed_at, True,
    )  # fmt: skip
    assert taken.verbatim.replace(b"\r\n", b"\n") == TEXT.encode()
    assert b"PGP" in (taken.signature or taken.signed_bytes)


@pytest.mark.row("P78")
def test_what_cannot_be_shown_to_be_good_any_more_is_not_taken(house: World) -> None:
    """The key is retired, and the form it had is not kept, as for what came before forms were."""
    got = house.fed(house.cleartext(TEXT, f"Re: VU#{VU}"))
    directory.retire_key(house.tools, house.alice, VENDOR, got.fingerprint, "replaced")
    with house.writing() as tx:
        messages.replace(tx, got.id, {"certificate": ""})
    with pytest.raises(Illegal, match=f"was good when it came, and cannot be shown .* ask {VENDOR} to sign"):
        statements.take(house.tools, house.alice, got.id)
    assert states(house) == []


@pytest.mark.parametrize("made", [unsigned, by_eve, partial])
def test_taking_one_without_its_vendors_signature_keeps_it_held(house: World, made: object) -> None:
    got = house.fed(made(house))  # type: ignore[operator]
    taken = statements.take(house.tools, house.alice, got.id)
    assert (taken.state, bool(taken.reason)) == ("held", True)


def test_taking_an_unsigned_answer_holds_it_as_what_it_lacks(house: World) -> None:
    got = house.fed(house.mail(PSIRT, body="We are not affected.\r\n"))
    taken = statements.take(house.tools, house.alice, got.id)
    assert (taken.state, taken.reason, taken.verbatim) == ("held", "it is not signed", b"We are not affected.\r\n")
    assert [e.kind for e in house.journal()][-1] == "statement.taken"


def test_one_whose_lines_look_quoted_waits_for_a_person(house: World) -> None:
    text = f"== VENDOR STATEMENT VU#{VU} ==\nInstall it:\n> apt upgrade\n== END ==\n"
    got = house.fed(house.signed(text, SUBJECT))
    [kept] = house.statements()
    assert (kept.state, kept.reason) == ("held", "it holds quoted lines")
    assert statements.take(house.tools, house.alice, got.id).state == "verified"


def test_only_filed_mail_can_be_taken(house: World) -> None:
    got = house.fed(house.mail("eve@eve.example"))
    with pytest.raises(Illegal, match=f"message {got.id} is not filed as a participant's; `mailrouter message route"):
        statements.take(house.tools, house.alice, got.id)
    assert house.statements() == []


def test_a_mail_without_a_word_of_its_own_cannot_be_taken(house: World) -> None:
    got = house.fed(house.mail(PSIRT, body="> only\r\n> quoted\r\n"))
    with pytest.raises(Illegal, match=f"message {got.id} holds no text of its sender's own"):
        statements.take(house.tools, house.alice, got.id)
    assert states(house) == []


def test_approving_says_who_and_when_and_needs_an_analyst(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    with pytest.raises(Illegal, match="approving needs an analyst"):
        statements.approve(house.tools, Actor("unix:root"), VU, VENDOR)
    approved = statements.approve(house.tools, house.alice, VU, VENDOR)
    assert (approved.approved_by, approved.approved_at) == ("alice", house.clock())
    [entry] = [e for e in house.journal() if e.kind == "statement.approved"]
    assert entry.data["sha256"] == approved.sha256


def test_what_is_held_or_missing_cannot_be_approved(house: World) -> None:
    with pytest.raises(NotFound, match=rf"no statement of {VENDOR} on VU#{VU}"):
        statements.approve(house.tools, house.alice, VU, VENDOR)
    house.feed(unsigned(house))
    with pytest.raises(Illegal, match=f"the statement of {VENDOR} is held: it is not signed"):
        statements.approve(house.tools, house.alice, VU, VENDOR)


def test_only_the_text_that_was_read_is_approved(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    with house.tools.db.read() as tx:
        read = statements.statements.of_case(tx, 1)[0].sha256
    house.clock.forward(days=1)
    house.feed(house.signed(TEXT + "2\n", SUBJECT))
    with pytest.raises(Illegal, match=r"another text stands now, of SHA-256 [0-9a-f]{64}"):
        statements.approve(house.tools, house.alice, VU, VENDOR, read[:12])


def test_approving_what_is_held_names_the_command_that_may_mend_it(house: World) -> None:
    """Taking helps only a good signature; who has none is asked."""
    got = house.fed(house.signed("== VENDOR STATEMENT ==\nNot affected.\n== END ==\n", f"VU#{VU}"))
    with pytest.raises(Illegal, match=f"does not name the VU#; if it is about this case: `.* take {got.id}`$"):
        statements.approve(house.tools, house.alice, VU, VENDOR)
    house.feed(unsigned(house))
    with pytest.raises(Illegal, match=f"it is not signed; `mailrouter statement vouch VU#{VU} {VENDOR} --by mail`"):
        statements.approve(house.tools, house.alice, VU, VENDOR)
    directory.set_vendor(house.tools, house.alice, VENDOR, directory.Change(telephone="+49 30 1"))
    vouching.by_telephone(house.tools, house.alice, VU, VENDOR, vouching.Call("", "Jo"))
    with pytest.raises(Illegal, match=f": `mailrouter statement agree VU#{VU} {VENDOR} --sha256 [0-9a-f]{{12}}`$"):
        statements.approve(house.tools, house.alice, VU, VENDOR)


def test_withdrawing_brings_nothing_back(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    house.clock.forward(days=1)
    house.feed(house.signed(TEXT + "2\n", SUBJECT))
    statements.withdraw(house.tools, house.alice, VU, VENDOR, "they asked us to")
    assert states(house) == [("superseded", ""), ("withdrawn", "they asked us to")]
    with pytest.raises(NotFound):
        statements.withdraw(house.tools, house.alice, VU, VENDOR, "again")


def test_a_statement_after_the_case_is_closed_is_kept(house: World) -> None:
    with house.writing() as tx:
        coordinate.cases.change(tx, 1, embargo="EXITED")
    closing.close(house.tools, house.alice, VU, "published", anyway=True)
    got = house.fed(house.signed(TEXT, SUBJECT))
    why = "statement; the case was closed, and goes on (its sender: signed)"
    assert (got.why, states(house), house.turn()) == (why, [("verified", "")], "nobody")


# ---- filed anew -----------------------------------------------------------------------------------------------------


def test_a_statement_filed_with_another_case_leaves_the_first(house: World) -> None:
    house.case(VENDOR, vu=OTHER)
    text = f"Not affected by VU#{OTHER}.\n"
    got = house.fed(house.signed(text, SUBJECT))  # the wrong number in the subject
    assert states(house)[0][0] == "held"
    file.route(house.tools, house.alice, got.id, OTHER)
    assert house.statements() == []
    [kept] = house.statements(OTHER)
    assert (kept.state, kept.reason, kept.message_id) == ("verified", "", got.id)
    assert (house.turn(), house.turn(VENDOR, OTHER)) == ("nobody", "nobody")
    assert house.breaks() == []


def test_a_mail_of_somebody_elses_takes_its_statement_along(house: World) -> None:
    house.organisation("Acme", "psirt@acme.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Acme")
    got = house.fed(house.signed(TEXT, SUBJECT))
    file.route(house.tools, house.alice, got.id, VU, "Acme")
    [kept] = house.statements()
    assert (kept.vendor, kept.state) == ("Acme", "held")  # an analyst's word gives nobody another's signature
    assert kept.reason == "it is signed by a key that is not pinned to its sender's organisation"
    assert house.turn("Acme") == "us"
