"""Armor and packets: read exactly, refused cleanly, whatever the bytes."""

import bz2
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.pgp import nesting, packets
from mailrouter.pgp.packets import Malformed, Unsupported
from tests.pgp.forge import FORGER, armor, packet, subpacket
from tests.pgp.keys import Keymaker

# Lengths around every change of the length's own form (RFC 9580 section 4.2.1).
LENGTHS = [0, 1, 191, 192, 8383, 8384, 70_000]


def old_format(tag: int, body: bytes) -> bytes:
    """With the shortest length type that fits."""
    kind = 0 if len(body) < 256 else 1 if len(body) < 65_536 else 2
    return bytes([0x80 | tag << 2 | kind]) + len(body).to_bytes(1 << kind, "big") + body


def short_format(tag: int, body: bytes) -> bytes:
    """New format with one- and two-octet lengths."""
    size = len(body)
    if size < 192:
        return bytes([0xC0 | tag, size]) + body
    if size < 8384:
        return bytes([0xC0 | tag, (size - 192 >> 8) + 192, size - 192 & 255]) + body
    return packet(tag, body)


def partial(tag: int, body: bytes) -> bytes:
    """In pieces of 512 bytes."""
    head, rest = bytes([0xC0 | tag]), body
    while len(rest) >= 512:
        head, rest = head + b"\xe9" + rest[:512], rest[512:]
    return head + short_format(tag, rest)[1:]


@pytest.mark.parametrize("size", LENGTHS)
@pytest.mark.parametrize("write", [packet, old_format, short_format, partial])
def test_every_form_of_length(write: object, size: int) -> None:
    body = bytes(size)
    written = write(2, body) + write(13, b"next")  # type: ignore[operator]  # each takes a tag and a body
    assert [(found.tag, found.body) for found in packets.packets(written)] == [(2, body), (13, b"next")]


@pytest.mark.parametrize(
    "data", [b"\x00", b"text", b"\xc2", b"\xc2\x05abc", b"\x88\x05abc", b"\xc2\xff\0\0", b"\xc2\xe9abc"]
)
def test_what_is_cut_off_or_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        list(packets.packets(data))


@given(st.binary(max_size=400))
def test_no_bytes_do_anything_but_be_refused(data: bytes) -> None:
    for read in (packets.signatures_only, packets.is_encrypted, packets.certificates, packets.keys_of):
        try:
            read(data)
        except Malformed:
            continue


@given(st.binary(max_size=200), st.sampled_from([b"\n", b"\r\n"]))
def test_armor_comes_off_as_it_went_on(data: bytes, ending: bytes) -> None:
    armored = b"words before\n" + armor("SIGNATURE", data) + b"and after\n"
    assert packets.dearmor(armored.replace(b"\n", ending), b"SIGNATURE") == data


@pytest.mark.parametrize("size", range(70, 76))
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_checksum_is_added_where_there_is_none(size: int, ending: bytes) -> None:
    data = bytes(range(size))
    bare = b"words\n" + armor("SIGNATURE", data).replace(b"\n", ending)
    made = packets.with_checksum(bare)
    line = next(line for line in made.splitlines() if line[:1] == b"=")
    assert (len(line), made.replace(line + ending, b"")) == (5, bare)
    assert packets.dearmor(made, b"SIGNATURE") == data
    assert packets.with_checksum(made) == made


def test_gpgs_checksum_is_ours(keymaker: Keymaker) -> None:
    armored = keymaker.armored(keymaker.vendor.fingerprint)
    assert b"\n=" in armored
    assert packets.dearmor(armored, b"PUBLIC KEY BLOCK") == keymaker.public(keymaker.vendor.fingerprint).data


@pytest.mark.row("P118")
@pytest.mark.parametrize(
    "armored",
    [
        b"", b"text", armor("MESSAGE", b"x"), armor("SIGNATURE", b"x").replace(b"-----END", b"----END"),
        armor("SIGNATURE", b"x").replace(b"\n\n", b"\n"), armor("SIGNATURE", b"xyz").replace(b"eHl6", b"eH*6"),
        armor("SIGNATURE", b"xyz").replace(b"eHl6", b"eHl6A"), armor("SIGNATURE", b"xyz").replace(b"eHl6", b"=eHl6"),
        armor("SIGNATURE", b"xyz").replace(b"eHl6", b"eHl6\n=AAAA"),
    ],
)  # fmt: skip
def test_broken_armor(armored: bytes) -> None:
    with pytest.raises(Malformed):
        packets.dearmor(armored, b"SIGNATURE")


def test_a_forged_key_is_read_as_gpg_reads_it(keymaker: Keymaker) -> None:
    owner, subkey = keymaker.subkeyed
    materials = packets.keys_of(owner.public.data)
    assert materials[0].fingerprint == owner.fingerprint
    assert subkey in {material.fingerprint for material in materials}
    assert packets.keys_of(FORGER.certificate(b"x"))[0].fingerprint == FORGER.fingerprint


@pytest.mark.row("P74")
def test_how_strong_a_key_is(keymaker: Keymaker) -> None:
    weak = packets.keys_of(keymaker.rsa1024.public.data)[0]
    strong = packets.keys_of(keymaker.vendor.public.data)[0]
    assert (weak.bits, weak.weak, strong.bits, strong.weak) == (1024, True, 0, False)


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (packet(1, b"\x03" + bytes(20)) + packet(18, b"\x01x"), None),
        (packet(1, b"\x03" + bytes(20)) * 100 + packet(18, b"\x01x"), None),
        (packet(1, b"\x03" + bytes(20)) + packet(20, b"\x01x"), None),
        (packet(1, b"\x03" + bytes(20)) * 101 + packet(18, b"\x01x"), Malformed),
        (packet(1, b"\x06" + bytes(20)) + packet(18, b"\x01x"), Unsupported),
        (packet(1, b"\x03" + bytes(20)) + packet(18, b"\x02x"), Unsupported),
        (packet(1, b"\x03" + bytes(20)) + packet(9, b"x"), Malformed),
        (packet(3, b"\x04" + bytes(20)) + packet(18, b"\x01x"), Malformed),
        (packet(1, b"\x03" + bytes(20)) + packet(3, b"\x04") + packet(18, b"\x01x"), Malformed),
        (packet(18, b"\x01x"), Malformed),
        (packet(1, b"\x03" + bytes(20)) + packet(18, b"\x01x") * 2, Malformed),
        (packet(1, b"\x03" + bytes(20)), Malformed),
        (b"", Malformed),
    ],
)
def test_what_counts_as_encrypted(message: bytes, refusal: type[Malformed] | None) -> None:
    if refusal is None:
        assert packets.is_encrypted(message)
    else:
        with pytest.raises(refusal):
            packets.is_encrypted(message)


def test_several_signatures_are_for_gpg_to_tell() -> None:
    packets.signatures_only(FORGER.signature(b"x") + FORGER.signature(b"x", 1, subpacket(28, b"a@b")))


HIDDEN, OTHER, OURS = (packet(1, b"\x03" + bytes.fromhex(name * 8) + b"\x12x") for name in ("00", "bb", "aa"))
DATA = packet(18, b"\x01x")


@pytest.mark.row("P109")
@pytest.mark.parametrize(
    ("session_keys", "tried"),
    [
        ([OURS], [OURS]),
        ([OTHER, OURS, HIDDEN], [OURS]),
        ([OURS, OTHER, OURS], [OURS + OURS]),
        ([HIDDEN], [HIDDEN]),
        ([OTHER, HIDDEN, HIDDEN], [HIDDEN, HIDDEN]),
        ([HIDDEN] * 99, [HIDDEN] * 20),
        ([OTHER, OTHER], [OTHER + OTHER]),
    ],
)
def test_which_session_keys_are_tried(session_keys: list[bytes], tried: list[bytes]) -> None:
    made = packets.for_us(b"".join(session_keys) + DATA, {"AA" * 8})
    assert made == tuple(keys + DATA for keys in tried)


@pytest.mark.row("P35")
@pytest.mark.parametrize("write", [packet, old_format, short_format, partial])
@pytest.mark.parametrize("algorithm", [1, 2, 3])
@pytest.mark.parametrize("layers", [0, 1, 2, 3, 40])
def test_layers_of_compression_are_counted(write: object, algorithm: int, layers: int) -> None:
    squeeze = {1: lambda data: zlib.compress(data, wbits=-15), 2: zlib.compress, 3: bz2.compress}[algorithm]
    message = packet(10, b"PGP") + packet(11, b"b\0\0\0\0\0" + bytes(2_000_000))
    for _ in range(layers):
        message = write(8, bytes([algorithm]) + squeeze(message))  # type: ignore[operator]  # each takes a tag and a body
    assert nesting.too_deep(message) == (layers > nesting.MAX_LAYERS)


@given(st.binary(max_size=200))
def test_no_bytes_hinder_counting(data: bytes) -> None:
    nesting.too_deep(data)
    nesting.too_deep(packet(8, data))
