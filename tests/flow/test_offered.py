"""Keys that come with mails, by real mails and real gpg: candidates, rollover, revocation, secret keys."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy.event import listen

from mailrouter.faults import TryLater
from mailrouter.flow.arriving import offers, receive
from mailrouter.flow.filing import file, look
from mailrouter.flow.people import directory, keys
from mailrouter.mail.envelope import Envelope
from mailrouter.pgp import KeyInfo, Pgp, imports, packets
from mailrouter.store import candidates, certificates, contacts, tables
from mailrouter.store.candidates import Candidate
from mailrouter.store.contacts import PinnedKey
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.pgp import mails as sealed_mails
from tests.pgp.forge import ENCRYPT, FORGER, SIGN, Forger, armor, flags, framed, packet, subpacket
from tests.pgp.keys import Keymaker, Owner

TEXT = f"VU#{VU}: this is our new key.\r\n"


@dataclass(frozen=True)
class Ring:
    """Keys of one vendor, as they were and as they became."""

    pinned: Owner
    next: Owner
    renamed: bytes  # the pinned key with another user id, armored
    extended: bytes  # with an end
    revoked: bytes
    certificate: bytes  # of its revocation, alone


@pytest.fixture(scope="module")
def ring(keymaker: Keymaker) -> Iterator[Ring]:
    """Everything that can become of a key, made once."""
    pinned = keymaker.make("Vendor 2026", PSIRT)
    keymaker.gpg("--quick-add-uid", pinned.fingerprint, "Vendor <psirt@other.example>")
    renamed = keymaker.armored(pinned.fingerprint)
    keymaker.gpg("--quick-set-expire", pinned.fingerprint, "20980601T000000")
    extended = keymaker.armored(pinned.fingerprint)
    secret = keymaker.secret(pinned.fingerprint)
    certificate = (keymaker.home / "openpgp-revocs.d" / f"{pinned.fingerprint}.rev").read_bytes()
    revoked = keymaker.armored(keymaker.revoke(pinned).fingerprint)
    # its owner's own copy, that signs the mails of these tests, never heard of the revocation
    keymaker.gpg("--yes", "--delete-secret-and-public-key", pinned.fingerprint)
    keymaker.gpg("--import", given=secret)
    following = keymaker.make("Vendor 2027", PSIRT)
    return Ring(pinned, following, renamed, extended, revoked, certificate.replace(b":-----BEGIN", b"-----BEGIN"))


@pytest.fixture
def house(world: World, ring: Ring) -> World:
    """A case with a vendor whose key is pinned."""
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    with world.writing() as tx:
        info = world.tools.pgp.import_public(ring.pinned.public.data)
        row = {
            "organisation_id": contacts.named(tx, VENDOR).id, "fingerprint": info.fingerprint, "data": info.data,
            "user_id": info.user_ids[0], "can_encrypt": True, "expires_at": None, "pinned_at": world.clock(),
        }  # fmt: skip
        contacts.pin(tx, row, [info.fingerprint, *info.subkeys, *info.key_ids])
    world.case(VENDOR)
    world.deliver()
    return world


def entity(key: bytes, kind: str = "application/pgp-keys", name: str = "key.asc") -> bytes:
    """A text and a key, attached."""
    return (
        b'Content-Type: multipart/mixed; boundary="k"\r\n\r\n--k\r\nContent-Type: text/plain\r\n\r\n' + TEXT.encode()
        + f'\r\n--k\r\nContent-Type: {kind}\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\n'.encode()
        + key.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n--k--\r\n"
    )  # fmt: skip


def unsigned(world: World, content: bytes, sender: str = PSIRT) -> Envelope:
    """The same, by anybody."""
    head = f"From: {sender}\r\nTo: cert@cert.example\r\nSubject: VU#{VU}\r\nMessage-ID: <{len(content)}@x.example>\r\n"
    return world.envelope(head.encode() + content)


def rollover(world: World, ring: Ring, key: bytes) -> Envelope:
    """Signed with the key that is pinned, by what its owner holds."""
    return world.signed("", signer=ring.pinned, content=entity(key))


def armored(world: World, owner: Owner) -> bytes:
    return world.keymaker.armored(owner.fingerprint)


def autocrypt(owner: Owner, sender: str = PSIRT) -> str:
    return f"Autocrypt: addr={sender}; keydata={base64.b64encode(owner.public.data).decode()}"


def offered(world: World, name: str = VENDOR) -> list[Candidate]:
    with world.look() as tx:
        return candidates.of(tx, contacts.named(tx, name).id)


def pinned(world: World, owner: Owner) -> PinnedKey | None:
    with world.look() as tx:
        return contacts.pinned(tx, owner.fingerprint)


# ---- candidates ------------------------------------------------------------------------------------------------------


@pytest.mark.row("P57")
@pytest.mark.parametrize("source", ["autocrypt", "attached", "inline"])
def test_a_key_that_comes_along_is_a_candidate_and_nothing_more(house: World, ring: Ring, source: str) -> None:
    mail = {
        "autocrypt": lambda: house.mail(PSIRT, f"VU#{VU}", "Hello\r\n", autocrypt(ring.next)),
        "attached": lambda: unsigned(house, entity(armored(house, ring.next))),
        "inline": lambda: house.mail(PSIRT, f"VU#{VU}", TEXT + armored(house, ring.next).decode()),
    }[source]()
    came = house.fed(mail)
    one = offered(house)[0]
    assert (one.fingerprint, one.source, one.message_id) == (ring.next.fingerprint, source, came.id)
    assert (one.proved, one.user_id) == (False, f"Vendor 2027 <{PSIRT}>")
    assert pinned(house, ring.next) is None
    assert house.notices() == []  # anybody can send one
    after = house.fed(house.signed(TEXT, signer=ring.next))
    assert after.assurance == "invalid"  # P55: its user id names the vendor, and proves nothing


@pytest.mark.row("P57")
@pytest.mark.parametrize(
    ("sender", "named"), [("rita@home.example", "rita@home.example"), (PSIRT, "other@vendor.example")]
)
def test_keys_of_nobody_known_or_of_another_are_no_candidates(
    house: World, ring: Ring, sender: str, named: str
) -> None:
    house.feed(house.mail(sender, f"VU#{VU}", "Hello\r\n", autocrypt(ring.next, named)))
    assert offered(house) == []


def test_the_same_key_again_is_the_same_candidate_and_starts_no_gpg(
    house: World, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mail() -> Envelope:
        return house.mail(PSIRT, f"VU#{VU}", "Hello\r\n", autocrypt(ring.next))

    house.feed(mail())
    monkeypatch.setattr(type(house.tools.pgp), "try_candidate", lambda *_: pytest.fail("gpg was asked"))
    house.feed(mail(), mail())
    assert len(offered(house)) == 1
    keys.refuse(house.tools, house.alice, VENDOR, ring.next.fingerprint)
    house.feed(mail())
    assert offered(house) == []
    assert house.breaks() == []


@pytest.mark.parametrize("wrong", [b"", b"\x98\x00", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxx\n"])
def test_what_is_no_key_holds_up_no_mail(house: World, wrong: bytes) -> None:
    assert house.fed(unsigned(house, entity(wrong))).place == "filed"
    assert offered(house) == []


# ---- rollover --------------------------------------------------------------------------------------------------------


def test_a_rollover_is_told_with_the_command_that_takes_it(house: World, ring: Ring) -> None:
    came = house.fed(rollover(house, ring, armored(house, ring.next)))
    assert (came.assurance, came.place) == ("verified", "filed")
    assert [one.proved for one in offered(house)] == [True]
    command = f"mailrouter vendor add-key {VENDOR} --candidate {ring.next.fingerprint}"
    told = [s.item for s in house.queue("alice") if s.item.kind == "notice"]
    assert [command in item.why for item in told] == [True]
    assert house.fed(house.signed(TEXT, signer=ring.next)).assurance == "invalid"  # not before an analyst says so
    keys.take(house.tools, house.alice, VENDOR, ring.next.fingerprint, channel="telephone")
    assert "notice" not in [s.item.kind for s in house.queue("alice")]  # what the notice asked for is done
    assert house.fed(house.signed(TEXT, signer=ring.next)).assurance == "verified"
    assert house.fed(house.signed(TEXT, signer=ring.pinned)).assurance == "verified"  # the old one stays
    house.feed(rollover(house, ring, armored(house, ring.next)))
    assert [s for s in house.queue("alice") if s.item.kind == "notice"] == []  # told once


def test_refusing_a_rollover_closes_its_notice(house: World, ring: Ring) -> None:
    house.feed(rollover(house, ring, armored(house, ring.next)))
    assert [s.item.kind for s in house.queue("alice")].count("notice") == 1
    keys.refuse(house.tools, house.alice, VENDOR, ring.next.fingerprint)
    assert "notice" not in [s.item.kind for s in house.queue("alice")]


def test_what_the_signature_does_not_cover_is_not_proved(house: World, ring: Ring) -> None:
    """Anybody between them and us can add a header to a signed mail."""
    mail = house.signed(TEXT, signer=ring.pinned)
    raw = autocrypt(ring.next).encode() + b"\r\n" + mail.raw
    assert house.fed(house.envelope(raw)).assurance == "verified"
    assert [(one.source, one.proved) for one in offered(house)] == [("autocrypt", False)]
    assert house.notices() == []


def test_an_old_signature_proves_no_new_key(house: World, ring: Ring) -> None:
    mail = rollover(house, ring, armored(house, ring.next))
    house.clock.forward(days=31)
    assert "stale" in house.fed(house.envelope(mail.raw)).flags
    assert [one.proved for one in offered(house)] == [False]


def test_a_key_refused_comes_again_only_better_proved(house: World, ring: Ring) -> None:
    house.feed(unsigned(house, entity(armored(house, ring.next))))
    keys.refuse(house.tools, house.alice, VENDOR, ring.next.fingerprint)
    house.feed(unsigned(house, entity(armored(house, ring.next)) + b"\r\n"))
    assert offered(house) == []
    house.feed(rollover(house, ring, armored(house, ring.next)))
    assert [one.proved for one in offered(house)] == [True]


def test_without_a_case_triage_is_told(house: World, ring: Ring) -> None:
    mail = house.signed("", f"our new key {VENDOR}", signer=ring.pinned, content=entity(armored(house, ring.next)))
    house.feed(mail)
    assert any(ring.next.fingerprint in s.item.why for s in house.queue("triage") if s.item.kind == "notice")


# ---- what a pinned key says of itself --------------------------------------------------------------------------------


@pytest.mark.row("P56")
@pytest.mark.parametrize("what", ["renamed", "extended"])
def test_a_renewed_key_changes_nothing_until_an_analyst_takes_it(house: World, ring: Ring, what: str) -> None:
    before = pinned(house, ring.pinned)
    house.feed(unsigned(house, entity(getattr(ring, what))))
    assert pinned(house, ring.pinned) == before
    assert [one.fingerprint for one in offered(house)] == [ring.pinned.fingerprint]
    assert any("renews its key" in why for why in house.notices())
    stranger = house.signed(TEXT, signer=ring.pinned, sender="psirt@other.example")
    assert house.fed(stranger).assurance == "other-signer"
    keys.take(house.tools, house.alice, VENDOR, ring.pinned.fingerprint)
    after = pinned(house, ring.pinned)
    assert before is not None
    assert after is not None
    assert after.data != before.data
    assert (after.expires_at is None) == (what == "renamed")
    house.feed(unsigned(house, entity(getattr(ring, what)) + b"\r\n"))
    assert offered(house) == []  # nothing new
    with house.look() as tx:
        assert len(certificates.of_key(tx, ring.pinned.fingerprint)) == 2  # both forms are kept


@pytest.mark.row("P119")
@pytest.mark.parametrize(("form", "sender"), [("revoked", "mallory@elsewhere.example"), ("certificate", PSIRT)])
def test_a_key_that_revokes_itself_is_used_no_more(house: World, ring: Ring, form: str, sender: str) -> None:
    assert house.fed(house.signed(TEXT, signer=ring.pinned)).assurance == "verified"
    house.feed(unsigned(house, entity(getattr(ring, form)), sender))
    key = pinned(house, ring.pinned)
    assert key is not None
    assert (key.state(house.clock()), key.usable(house.clock())) == ("revoked", False)
    assert any("revoked itself" in s.item.why for s in house.queue("alice"))
    later = house.fed(house.signed(TEXT, signer=ring.pinned))
    assert (later.assurance, later.verdict) == ("invalid", "revoked-key")
    with house.look() as tx:
        assert next(m.assurance for m in house.messages() if m.direction == "in") == "verified"  # what it proved stays
        assert len(certificates.of_key(tx, ring.pinned.fingerprint)) == 2
    assert house.breaks() == []


@pytest.mark.row("P119")
def test_a_revocation_by_another_is_told_and_changes_nothing(house: World, ring: Ring, keymaker: Keymaker) -> None:
    """The packet of another key's revocation, set into this one."""
    eves = imports.revocation_in(
        (keymaker.home / "openpgp-revocs.d" / f"{keymaker.eve.fingerprint}.rev").read_bytes().replace(b":-", b"-")
    )
    first, *rest = packets.packets(ring.pinned.public.data)
    forged = b"".join((first.raw, eves, *(packet.raw for packet in rest)))
    before = pinned(house, ring.pinned)
    for _ in range(2):
        house.feed(house.mail(PSIRT, f"VU#{VU}", "Hello\r\n", f"Autocrypt: addr={PSIRT}; keydata={_base64(forged)}"))
    assert pinned(house, ring.pinned) == before
    told = [why for why in house.notices() if "revoked, but the key itself does not" in why]
    assert len(told) == 1
    assert f"retire-key {VENDOR} {ring.pinned.fingerprint} --why" in told[0]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# ---- secret keys -----------------------------------------------------------------------------------------------------


@pytest.mark.row("P115")
@pytest.mark.parametrize("how", ["attached", "inline", "encrypted", "stranger"])
def test_a_secret_key_makes_a_mail_an_incident(house: World, ring: Ring, keymaker: Keymaker, how: str) -> None:
    secret = keymaker.secret(keymaker.eve.fingerprint)
    mail = {
        "attached": lambda: unsigned(house, entity(secret)),
        "inline": lambda: house.mail(PSIRT, f"VU#{VU}", TEXT + secret.decode()),
        "encrypted": lambda: house.encrypted(entity(secret), f"VU#{VU}", signer=ring.pinned),
        "stranger": lambda: house.mail("rita@home.example", f"VU#{VU}", TEXT + secret.decode()),
    }[how]()
    came = house.fed(mail)
    assert (came.place, came.case_id, came.suggested_vu) == ("quarantine", None, VU)
    assert came.why.startswith("private key exposed")
    for queue in ("alice", "operator"):
        assert [f"message {came.id}" in s.item.why for s in house.queue(queue)] == [True]
    assert offered(house) == []
    assert keymaker.eve.fingerprint not in {key.fingerprint for key in house.tools.pgp.own_keys()}
    assert house.participant().waiting_on == "them"
    house.books()


@pytest.mark.row("P115")
def test_a_mail_with_a_secret_key_can_be_filed_by_hand(house: World, keymaker: Keymaker) -> None:
    came = house.fed(house.mail(PSIRT, f"VU#{VU}", TEXT + keymaker.secret(keymaker.eve.fingerprint).decode()))
    file.route(house.tools, house.alice, came.id, VU)
    assert [m.place for m in house.messages() if m.direction == "in"] == ["filed"]


@pytest.mark.row("P115")
def test_a_secret_key_is_not_shown(house: World, keymaker: Keymaker) -> None:
    secret = keymaker.secret(keymaker.eve.fingerprint).decode()
    came = house.fed(house.mail(PSIRT, f"VU#{VU}", f"Hello\r\n{secret}Bye\r\n"))
    seen = look.at(house.tools, came.id)
    for shown in (seen.text, seen.new):
        assert "a secret key is not shown" in shown
        assert secret.splitlines()[4] not in shown
        assert "Bye" in shown
    assert seen.raw is not None
    assert secret.splitlines()[4].encode() in seen.raw


# ---- keys made to harm -----------------------------------------------------------------------------------------------


def flood(kind: str, ring: Ring) -> bytes:
    """A key that is mostly something else, as large as a mail may bring it."""
    if kind == "user ids":
        return ring.next.public.data + b"".join(packet(packets.USER_ID, b"x%d" % n) for n in range(9000))
    return ring.next.public.data + packet(17, bytes(10_000_000))  # a photograph


@pytest.mark.row("P117")
@pytest.mark.parametrize("kind", ["user ids", "photo"])
def test_a_hostile_key_holds_up_no_mail_and_harms_no_other_key(house: World, ring: Ring, kind: str) -> None:
    mail = house.mail(
        PSIRT, f"VU#{VU}", base64.encodebytes(flood(kind, ring)).decode(),
        'Content-Type: application/pgp-keys; name="k.asc"', "Content-Transfer-Encoding: base64",
    )  # fmt: skip
    assert house.fed(mail).place == "filed"
    assert all(len(one.data) < 2_000 for one in offered(house))  # what is kept is the key's own
    assert house.fed(house.signed(TEXT, signer=ring.pinned)).assurance == "verified"


@pytest.mark.row("P117")
@pytest.mark.parametrize("sender", [PSIRT, "eve@eve.example"])
def test_a_key_that_takes_anothers_primary_key_for_its_subkey_harms_it_not(
    house: World, ring: Ring, sender: str
) -> None:
    """As in CVE-2025-30258: gpg may find the thief first, and then verifies nothing by the key it stole."""
    stolen = next(p for p in packets.packets(ring.pinned.public.data) if p.tag == packets.PUBLIC_KEY).body
    thief = FORGER.certificate(b"Eve <eve@eve.example>") + FORGER.subkey(stolen, flags(SIGN))
    house.organisation("Evil", "eve@eve.example")
    directory.add_keys(house.tools, house.alice, "Evil", [house.tools.pgp.import_public(thief)])
    came = house.fed(house.signed(TEXT, signer=ring.pinned, sender=sender))
    assert came.assurance in (["verified"] if sender == PSIRT else ["invalid", "other-signer"])
    assert came.standing == ("signed" if sender == PSIRT else "stranger")


@pytest.mark.row("P58")
def test_two_keys_of_one_key_id_are_two_keys(house: World, ring: Ring, keymaker: Keymaker) -> None:
    """A second key, of another organisation, that a signature may name by the same 64 bits."""
    house.organisation("Evil", "eve@eve.example", key=keymaker.eve)
    with house.writing() as tx:
        for key, other in ((ring.pinned, keymaker.eve), (keymaker.eve, ring.pinned)):
            found = contacts.pinned(tx, key.fingerprint)
            assert found is not None
            rows = [{"key_id": found.id, "name": name} for name in (other.fingerprint[-16:], other.fingerprint)]
            tx.execute(tables.key_names.insert(), rows)
    ours = house.fed(house.signed(TEXT, signer=ring.pinned))
    assert (ours.assurance, ours.fingerprint) == ("verified", ring.pinned.fingerprint)
    evil = house.fed(house.signed(TEXT, signer=keymaker.eve))
    assert (evil.assurance, evil.fingerprint) == ("other-signer", keymaker.eve.fingerprint)


@pytest.mark.row("P55")
def test_a_user_id_with_the_vendors_address_proves_nothing(house: World, ring: Ring) -> None:
    """Pinned to somebody else, it is that organisation's; pinned to nobody, it is nobody's."""
    assert house.fed(house.signed(TEXT, signer=ring.next)).assurance == "invalid"
    house.organisation("Evil", "eve@eve.example", key=ring.next)
    came = house.fed(house.signed(TEXT, signer=ring.next))
    assert (came.assurance, came.standing, came.place) == ("other-signer", "claimed", "filed")
    assert house.statements() == []


@pytest.mark.row("P117")
def test_what_others_signed_on_a_pinned_key_starts_no_gpg(
    house: World, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key servers hand such copies out; a vendor may attach one to every mail."""
    theirs = ring.pinned.public.data + FORGER.signature(b"whatever it covers", 0x10)
    for method in ("renewed", "revoked", "try_candidate"):
        monkeypatch.setattr(type(house.tools.pgp), method, lambda *_: pytest.fail("gpg was asked"))
    house.feed(unsigned(house, entity(armor("PUBLIC KEY BLOCK", theirs))))
    assert offered(house) == []


@pytest.mark.row("P117")
def test_the_keys_of_one_mail_have_one_time_limit(
    house: World, ring: Ring, keymaker: Keymaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[float] = []
    ask = type(house.tools.pgp).try_candidate

    def counted(pgp: Pgp, data: bytes, seconds: float) -> KeyInfo:
        left.append(seconds)
        return ask(pgp, data, 0.0 if len(left) == 2 else seconds)

    monkeypatch.setattr(type(house.tools.pgp), "try_candidate", counted)
    three = "".join(armored(house, one).decode() for one in (ring.next, keymaker.eve, keymaker.alice))
    assert house.fed(house.mail(PSIRT, f"VU#{VU}", TEXT + three)).place == "filed"
    assert len(left) == 2  # the second has none left, and then there is none for the third
    assert offers.SECONDS >= left[0] > left[1]
    assert [one.fingerprint for one in offered(house)] == [ring.next.fingerprint]


@pytest.mark.row("P117")
@pytest.mark.parametrize(
    ("what", "method"),
    [("weak", "try_candidate"), ("expired", "try_candidate"), ("stuffed", "renewed"), ("fake", "revoked")],
)
def test_gpg_is_asked_in_vain_once_a_week(
    house: World, ring: Ring, keymaker: Keymaker, monkeypatch: pytest.MonkeyPatch, what: str, method: str
) -> None:
    first, *rest = packets.packets(ring.pinned.public.data)
    fake = FORGER.signature(framed(first.body), 0x20)
    key = {
        "weak": lambda: keymaker.rsa1024.public.data,
        "expired": lambda: keymaker.expired.public.data,
        "stuffed": lambda: ring.pinned.public.data + packet(packets.USER_ID, b"Somebody else"),
        "fake": lambda: b"".join((first.raw, fake, *(one.raw for one in rest))),
    }[what]()
    asked: list[bytes] = []
    ask = getattr(type(house.tools.pgp), method)
    monkeypatch.setattr(type(house.tools.pgp), method, lambda *args: (asked.append(args[1]), ask(*args))[1])
    for n in range(3):
        came = house.fed(unsigned(house, entity(armor("PUBLIC KEY BLOCK", key)) + b"\r\n" * n))
        assert (came.place, offered(house)) == ("filed", [])
    assert len(asked) == 1
    house.clock.forward(days=8)
    house.feed(unsigned(house, entity(armor("PUBLIC KEY BLOCK", key)) + b"\r\n" * 3))
    assert len(asked) == 2
    assert len([why for why in house.notices() if "but the key itself does not" in why]) == (what == "fake")


# ---- what was revoked stays revoked ----------------------------------------------------------------------------------


STOLEN = Forger(b"stolen")
BEFORE = FORGER.certificate(b"Vendor <psirt@vendor.example>") + FORGER.subkey(
    STOLEN.key_body, flags(SIGN), STOLEN.back_signature(FORGER.key_body)
)
AFTER = BEFORE + FORGER.signature(framed(FORGER.key_body) + framed(STOLEN.key_body), 0x28)
RENEWED = BEFORE.replace(
    packet(packets.PUBLIC_SUBKEY, STOLEN.key_body),
    FORGER.certificate(b"Vendor <psirt@vendor.example>", subpacket(9, (2 * 10**9).to_bytes(4, "big")))[
        len(packet(packets.PUBLIC_KEY, FORGER.key_body)) :
    ]
    + packet(packets.PUBLIC_SUBKEY, STOLEN.key_body),
)


@pytest.fixture
def robbed(world: World) -> World:
    """A vendor whose key signs with a subkey, too."""
    world.organisation(VENDOR, PSIRT, domain="vendor.example")
    _add(world, BEFORE)
    world.case(VENDOR)
    return world


def _add(world: World, key: bytes) -> None:
    directory.add_keys(world.tools, world.alice, VENDOR, [world.tools.pgp.import_public(key)])


def _by_thief(world: World) -> Envelope:
    entity = b"Content-Type: text/plain\r\n\r\nVU#%d: not affected\r\n" % VU
    at = int(world.clock().timestamp())
    head = f"From: {PSIRT}\r\nTo: cert@cert.example\r\nSubject: VU#{VU}\r\nMessage-ID: <{at}@x.example>\r\n"
    signature = armor("SIGNATURE", STOLEN.signature(entity, at=at))
    return world.envelope(sealed_mails.signed(signature, entity, head.encode() + b"MIME-Version: 1.0\r\n"))


@pytest.mark.row("P68")
@pytest.mark.parametrize("how", ["an older copy", "a candidate", "retired between"])
def test_a_subkey_that_was_revoked_stays_so_whatever_is_pinned_afterwards(robbed: World, how: str) -> None:
    assert robbed.fed(_by_thief(robbed)).assurance == "verified"
    if how == "a candidate":
        robbed.feed(unsigned(robbed, entity(armor("PUBLIC KEY BLOCK", RENEWED))))
        assert [one.fingerprint for one in offered(robbed)] == [FORGER.fingerprint]
    robbed.feed(unsigned(robbed, entity(armor("PUBLIC KEY BLOCK", AFTER)) + b"\r\n"))
    robbed.clock.forward(minutes=1)
    assert robbed.fed(_by_thief(robbed)).assurance == "invalid"
    match how:
        case "a candidate":
            keys.take(robbed.tools, robbed.alice, VENDOR, FORGER.fingerprint)
        case "retired between":
            directory.retire_key(robbed.tools, robbed.alice, VENDOR, FORGER.fingerprint, "replaced")
            _add(robbed, BEFORE)
        case _:
            _add(robbed, BEFORE)
    robbed.clock.forward(minutes=1)
    assert robbed.fed(_by_thief(robbed)).assurance == "invalid"


@pytest.mark.row("P68")
def test_a_key_changed_while_gpg_looks_at_it_is_looked_at_again(robbed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The revocation arrives between the merging and the pinning."""
    together = type(robbed.tools.pgp).together

    def slowly(pgp: Pgp, pinned: bytes, copy: bytes) -> KeyInfo:
        merged = together(pgp, pinned, copy)
        robbed.feed(unsigned(robbed, entity(armor("PUBLIC KEY BLOCK", AFTER))))
        return merged

    monkeypatch.setattr(type(robbed.tools.pgp), "together", slowly)
    with pytest.raises(TryLater, match="changed meanwhile"):
        _add(robbed, RENEWED)
    robbed.clock.forward(minutes=1)
    assert robbed.fed(_by_thief(robbed)).assurance == "invalid"


def test_an_older_copy_does_not_make_it_forgotten_that_a_key_could_be_encrypted_to(
    world: World, keymaker: Keymaker
) -> None:
    """Its only subkey for that revoked: letters to them wait for a key, they do not leave in clear."""
    theirs = next(p for p in packets.packets(keymaker.vendor.public.data) if p.tag == packets.PUBLIC_SUBKEY).body
    before = FORGER.certificate(b"Vendor <psirt@vendor.example>") + FORGER.subkey(theirs, flags(ENCRYPT))
    after = before + FORGER.signature(framed(FORGER.key_body) + framed(theirs), 0x28)
    world.organisation(VENDOR, PSIRT)
    _add(world, before)
    keys.revoke(world.tools, world.alice, VENDOR, after)
    world.clock.forward(days=1)
    _add(world, before)
    with world.look() as tx:
        key = contacts.pinned(tx, FORGER.fingerprint)
    assert key is not None
    assert (key.can_encrypt, key.state(world.clock())) == (True, "expired")


# ---- who is told, and in what order things are locked ----------------------------------------------------------------


def test_everybody_with_a_case_of_theirs_is_told_of_a_revocation(house: World, ring: Ring) -> None:
    house.case(VENDOR, vu=654321)
    house.organisation("Other", "psirt@other.example")
    house.case("Other", vu=777777)
    house.feed(unsigned(house, entity(ring.revoked)))
    told = [s for s in house.queue("alice") if s.item.kind == "notice" and "revoked itself" in s.item.why]
    assert len(told) == 2
    assert len({s.item.case_id for s in told}) == 2
    assert [e.kind for e in house.journal(654321)].count("notice") == 1
    assert not any("revoked itself" in s.item.why for s in house.queue("triage"))
    assert house.breaks() == []


def test_no_journal_is_held_before_a_batch_has_what_else_it_needs(house: World, ring: Ring) -> None:
    """Whoever holds a chain waits for nothing more; another case than the mail's is locked by nobody's batch."""
    house.case(VENDOR, vu=654321)
    said: list[str] = []
    house.accept(unsigned(house, entity(ring.revoked)), house.mail(PSIRT, f"VU#{VU}"))
    listen(house.tools.db.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    receive.work(house.tools)
    chain = next(n for n, one in enumerate(said) if "chains" in one)
    mails = [n for n, one in enumerate(said) if one.startswith("INSERT INTO messages")]
    others = [n for n, one in enumerate(said) if one.startswith(("INSERT INTO queue_items", "UPDATE pinned_keys"))]
    assert len(mails) >= 2
    assert max(mails) < chain
    assert others[1] < chain  # with the mails: the key, and the notice for the case of this mail


def test_a_dispute_that_was_told_hides_no_other(house: World, ring: Ring, keymaker: Keymaker) -> None:
    """A fake does not burn the notice for the next one."""
    first, *rest = packets.packets(ring.pinned.public.data)
    for forger in (FORGER, STOLEN):
        fake = forger.signature(framed(first.body), 0x20)
        forged = b"".join((first.raw, fake, *(one.raw for one in rest)))
        house.feed(house.mail(PSIRT, f"VU#{VU}", "Hello\r\n", f"Autocrypt: addr={PSIRT}; keydata={_base64(forged)}"))
    assert len([why for why in house.notices() if "revoked, but the key itself does not" in why]) == 2
