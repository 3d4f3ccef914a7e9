"""P65 to P78: signatures that are right and not to be trusted, by time, by key, by algorithm."""

from datetime import UTC, datetime, timedelta

from mailrouter.pgp import PublicKey
from mailrouter.pgp.packets import packets
from tests.pgp import mails
from tests.pgp.forge import CERTIFY, ENCRYPT, FORGER, SIGN, Forger, armor, flags, subpacket
from tests.pgp.keys import Keymaker, Owner
from tests.pgp.mails import ENTITY
from tests.pgp.table import Case, Given, case

DAY = 86_400
THIEF = Forger(b"thief")
SUBKEY = Forger(b"subkey")


def at(moment: str) -> tuple[str, ...]:
    """Sign as if it were then."""
    return ("--faked-system-time", moment, "--ignore-time-conflict")


def forged(signature: bytes, *vendors: PublicKey) -> Given:
    """A detached signature, with these keys pinned to the vendor."""
    return Given(mails.signed(armor("SIGNATURE", signature)), vendors=vendors)


def signed(keymaker: Keymaker, owner: Owner, *more: str) -> Given:
    """Signed by gpg with a key that is pinned to the vendor."""
    return Given(mails.signed(keymaker.sign(ENTITY, owner, more=more)), vendors=(owner.public,))


def _revoked(keymaker: Keymaker, *more: str) -> Given:
    owner = keymaker.make("Revoked", f"revoked{len(more)}@table.example")
    signature = keymaker.sign(ENTITY, owner, more=more)
    return Given(mails.signed(signature), vendors=(keymaker.revoke(owner).public,))


def _subkey(keymaker: Keymaker, way: str) -> Given:
    expires = "20200201T000000" if way == "expired" else "never"
    owner = keymaker.make("Sub", f"{way}@table.example")
    keymaker.gpg(*at("20200101T000000"), "--quick-add-key", owner.fingerprint, "ed25519", "sign", expires)
    listed = keymaker.gpg("--with-colons", "--list-keys", owner.fingerprint).decode().splitlines()
    subkey = [line.split(":")[9] for line in listed if line.startswith("fpr")][-1]
    signature = keymaker.sign(ENTITY, f"{subkey}!", more=at("20200115T000000"))
    if way == "revoked":
        orders = b"key 2\nrevkey\ny\n0\n\ny\nsave\n"  # the first subkey encrypts
        keymaker.gpg("--command-fd", "0", "--edit-key", owner.fingerprint, given=orders)
    return Given(mails.signed(signature), vendors=(keymaker.public(owner.fingerprint),))


def _weak(keymaker: Keymaker, algorithm: str, *more: str) -> Given:
    owner = keymaker.make(algorithm, f"{algorithm}@table.example", algorithm=algorithm, usage="sign", encrypts=False)
    return signed(keymaker, owner, *more)


def _with_algorithm(number: int) -> Given:
    return _changed(8, number)


def _changed(place: int, number: int) -> Given:
    """A signature with another byte in its head."""
    signature = bytearray(FORGER.signature(ENTITY))
    signature[place] = number
    return forged(bytes(signature), FORGER.public(b"x"))


def _primary(use: int) -> Given:
    """Signed by a primary key that says it is for another use."""
    return forged(FORGER.signature(ENTITY), FORGER.public(b"x", flags(use)))


def _bound(*, back_signed: bool) -> Given:
    """Signed by a subkey, which agreed to it or not."""
    back = (SUBKEY.back_signature(FORGER.key_body),) if back_signed else ()
    certificate = FORGER.certificate(b"x") + FORGER.subkey(SUBKEY.key_body, flags(SIGN), *back)
    return forged(SUBKEY.signature(ENTITY), PublicKey(FORGER.fingerprint, certificate))


def _stolen(keymaker: Keymaker, *, victim_known: bool) -> Given:
    """The vendor's own signature by a subkey that a thief has bound to a key of theirs, pinned to Eve."""
    owner, fingerprint = keymaker.subkeyed
    body = [packet.body for packet in packets(owner.public.data) if packet.tag == 14][-1]
    certificate = THIEF.certificate(b"Eve <eve@eve.example>") + THIEF.subkey(body, flags(SIGN))
    return Given(
        mails.signed(keymaker.sign(ENTITY, f"{fingerprint}!"), head=mails.HEAD.replace(b"psirt@vendor", b"eve@eve")),
        vendors=(owner.public,) if victim_known else (),
        eves=(PublicKey(THIEF.fingerprint, certificate),),
    )


def _unhashed_issuer(keymaker: Keymaker) -> bytes:
    """The forger's, and the vendor's key id where nothing signs it."""
    return FORGER.signature(ENTITY, unhashed=subpacket(16, bytes.fromhex(keymaker.vendor.fingerprint[-16:])))


def _old(days: int) -> Case:
    word = "V+STALE" if days > 30 else "V"
    return case("P72", f"signed {days} days ago", word)(
        lambda k: Given(mails.signed(k.sign(ENTITY, k.vendor)), now=datetime.now(UTC) + timedelta(days=days))
    )


def _digest(name: str, *outcomes: str) -> Case:
    row = "P73"
    return case(row, f"hash {name}", *outcomes)(
        lambda k: signed(k, k.vendor, "--allow-weak-digest-algos", "--digest-algo", name)
    )


LIVED_A_DAY = subpacket(9, DAY.to_bytes(4, "big"))

CASES: tuple[Case, ...] = (
    case("P65", "key expired, signed before", "I")(lambda k: signed(k, k.expired, *at("20200115T000000"))),
    case("P66", "key expired, signed after", "I")(
        lambda _: forged(FORGER.signature(ENTITY, at=FORGER.created + 10 * DAY), FORGER.public(b"x", LIVED_A_DAY))
    ),
    case("P67", "key revoked, signed before", "I")(lambda k: _revoked(k, *at("20200115T000000"))),
    case("P67", "key revoked, signed today", "I")(_revoked),
    case("P68", "subkey revoked", "I")(lambda k: _subkey(k, "revoked")),
    case("P68", "subkey expired", "I")(lambda k: _subkey(k, "expired")),
    case("P69", "signature expired", "I")(
        lambda k: signed(k, k.vendor, *at("20200115T000000"), "--default-sig-expire", "2d")
    ),
    case("P70", "dated an hour ahead", "I")(
        lambda k: Given(mails.signed(k.sign(ENTITY, k.vendor)), now=datetime.now(UTC) - timedelta(hours=1))
    ),
    case("P70", "dated 2030", "I")(lambda k: signed(k, k.vendor, *at("20300101T000000"))),
    case("P71", "signed before the key was made", "I")(
        lambda _: forged(FORGER.signature(ENTITY, at=FORGER.created - DAY), FORGER.public(b"x"))
    ),
    _old(29),
    _old(31),
    _old(400),
    *(_digest(name, "I") for name in ("SHA1", "RIPEMD160", "SHA224")),
    case("P73", "hash MD5, by RSA", "I")(
        lambda k: _weak(k, "rsa2048", "--allow-weak-digest-algos", "--digest-algo", "MD5")
    ),
    *(case("P73", f"hash number {number}, unknown to gpg", "I")(lambda _, number=number: _changed(9, number))
      for number in (0, 4, 12, 14, 119)),
    *(_digest(name, "V") for name in ("SHA256", "SHA384", "SHA512")),
    *(case("P74", f"{name} key", word)(lambda k, name=name: _weak(k, name)) for name, word in (
        ("rsa1024", "I"), ("dsa1024", "I"), ("rsa3072", "V"), ("nistp256", "V"))),
    *(case("P74", f"public-key algorithm {number}", "I")(lambda _, number=number: _with_algorithm(number))
      for number in (0, 2, 20, 100)),
    case("P75", "primary key for encryption only", "I")(lambda _: _primary(ENCRYPT)),
    case("P75", "primary key for certification only", "I")(lambda _: _primary(CERTIFY)),
    case("P75", "subkey without back-signature", "I")(lambda _: _bound(back_signed=False)),
    case("P75", "subkey with back-signature", "V+STALE")(lambda _: _bound(back_signed=True)),
    case("P75", "the vendor's subkey bound to Eve's key, the vendor's not known", "I")(
        lambda k: _stolen(k, victim_known=False)
    ),
    case("P75", "the vendor's subkey bound to Eve's key, From Eve", "S", "I")(lambda k: _stolen(k, victim_known=True)),
    case("P76", "issuer only in the unhashed part: the vendor", "I")(
        lambda k: forged(_unhashed_issuer(k), k.vendor.public)
    ),
    case("P76", "issuer in the hashed part: the vendor", "I")(
        lambda k: forged(
            FORGER.signature(ENTITY, 0, subpacket(33, b"\x04" + bytes.fromhex(k.vendor.fingerprint))), k.vendor.public
        )
    ),
    case("P76", "time only in the unhashed part", "I")(
        lambda _: forged(
            FORGER.signature(ENTITY, timed=False, unhashed=subpacket(2, (FORGER.created + DAY).to_bytes(4, "big"))),
            FORGER.public(b"x"),
        )
    ),
    case("P76", "the vendor's signature embedded in a forger's", "I")(
        lambda k: forged(
            FORGER.signature(
                ENTITY, 0, subpacket(32, next(packets(k.gpg("-u", k.vendor.fingerprint, "-b", given=ENTITY))).body)
            ),
            k.vendor.public,
        )
    ),
    case("P77", "unknown critical subpacket", "I")(
        lambda _: forged(FORGER.signature(ENTITY, 0, subpacket(0x80 | 99, b"x")), FORGER.public(b"x"))
    ),
    case("P77", "unknown critical notation", "I", "V+STALE")(
        lambda _: forged(
            FORGER.signature(ENTITY, 0, subpacket(0x80 | 20, b"\x80\0\0\0\0\x03\0\1x@yv")), FORGER.public(b"x")
        )
    ),
    case("P78", "key no longer pinned when it is opened", "I")(
        lambda k: Given(mails.signed(k.sign(ENTITY, k.vendor)), vendors=())
    ),
)  # fmt: skip
