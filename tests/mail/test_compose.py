"""Composed mails: whatever they hold, one mail, its own headers only, and a signature that arrives whole."""

import dataclasses
import email
import email.policy
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter import relay
from mailrouter.case import vuid
from mailrouter.mail import compose, texts
from mailrouter.mail.compose import Attachment, Headers
from tests.servers.sink import LENIENT

NOW = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
PLAIN = Headers(
    "CERT Example", "cert@cert.example", "psirt@vendor.example", "[VU#123456] Letter from CERT Example", NOW,
    "<a1@cert.example>",
)  # fmt: skip
SEED = "f0e1d2c3"

NASTY = st.sampled_from('\r\n\0\x0b\x0c\x1c\x85\u2028\u2029\u202e ,;:<>()[]"\\=?@.-$%\t')
ANY_TEXT = st.text(st.one_of(st.characters(exclude_categories=()), NASTY), max_size=300)
LINES = st.lists(
    st.sampled_from(
        [".", "..", ".x", "From me", "From ", ">From x", "--", "--x", "-- ", "tab\t", "blank ", "", "é", "x" * 76,
         "x" * 77, "F" + "rom " * 30, "." * 80, "-" * 80, "é" * 300, "x" * 3000, "\r", "\x0b", "=20", "=",
         "a=\r\nb", "VU#123456"]
    ) | st.text(max_size=90)
).map("\n".join)  # fmt: skip


def body_of(raw: bytes) -> str:
    """The first text part, as mail programs read it."""
    part = next(part for part in email.message_from_bytes(raw).walk() if part.get_content_type() == "text/plain")
    return part.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n")


def decoded(value: str) -> str:
    return str(make_header(decode_header(value.replace("\r\n ", " "))))


# ---- hostile everything ---------------------------------------------------------------------------------------------


@pytest.mark.row("S32")
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.lists(ANY_TEXT, max_size=3), ANY_TEXT)
def test_no_value_adds_a_header_or_a_recipient(name, subject, body, in_reply_to, references, filename):
    headers = Headers(
        name, "cert@cert.example", "psirt@vendor.example", compose.subject(subject, "VU#123456"), NOW,
        "<a1@cert.example>", in_reply_to, tuple(references), compose.AUTOMATIC,
    )  # fmt: skip
    raw = compose.message(headers, body, [Attachment(filename, body.encode("utf-8", "replace"), filename)], SEED)
    mail = email.message_from_bytes(raw)
    allowed = {
        "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted",
        "x-auto-response-suppress", "mime-version", "content-type",
    }  # fmt: skip
    names = [header.lower() for header in mail]
    assert set(names) <= allowed
    assert len(names) == len(set(names))
    assert not mail.defects
    assert mail["To"] == "psirt@vendor.example"
    strict = email.message_from_bytes(raw, policy=email.policy.default)
    assert [address.addr_spec for address in strict["To"].addresses] == ["psirt@vendor.example"]
    assert [address.addr_spec for address in strict["From"].addresses] == ["cert@cert.example"]
    assert vuid.find(decoded(mail["Subject"]))[0] == vuid.VuId(123456)
    assert len(vuid.find(decoded(mail["Subject"]))) == 1
    assert body_of(raw) == texts.block(body) + "\n"
    assert raw.isascii()
    wire_is_safe(raw)


def wire_is_safe(raw: bytes) -> None:
    """What no relay needs to touch: CRLF only, short lines, no blank at an end, nothing special at a start."""
    assert raw.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not [line for line in lines if line.endswith((b" ", b"\t")) or line.startswith((b"From ", b"."))]


@given(ANY_TEXT)
def test_a_subject_arrives_as_it_was_meant(value):
    raw = compose.message(with_(subject=value), "x")
    shown = decoded(email.message_from_bytes(raw)["Subject"] or "")
    assert shown.split() == texts.one_line(value).split()
    assert len(max(raw.split(b"\r\n\r\n")[0].split(b"\r\n"), key=len)) <= 320


@given(ANY_TEXT)
def test_a_name_arrives_as_it_was_meant(value):
    written = email.message_from_bytes(compose.message(with_(sender_name=value), "x"))["From"]
    name, address = parseaddr(written.replace("\r\n ", " "))
    assert address == "cert@cert.example"
    assert decoded(name).split() == texts.one_line(value, 100).split()


@given(LINES)
def test_a_body_arrives_as_it_was_written(body):
    entity = compose.entity(body)
    assert body_of(entity) == texts.block(body) + "\n"
    wire_is_safe(entity)
    content = entity.partition(b"\r\n\r\n")[2]
    assert max(map(len, content.split(b"\r\n"))) <= 76
    assert not [line for line in content.split(b"\r\n") if line.startswith(b"--")]


def with_(**changed: object) -> Headers:
    return dataclasses.replace(PLAIN, **changed)


# ---- headers --------------------------------------------------------------------------------------------------------


def test_a_plain_letter_byte_for_byte():
    headers = with_(in_reply_to="<q@vendor.example>", references=("<p@vendor.example>", "<q@vendor.example>"))
    assert compose.message(headers, "VU#123456\n\nHello.\n") == (
        b'From: "CERT Example"\r\n <cert@cert.example>\r\n'
        b"To: psirt@vendor.example\r\n"
        b"Subject: [VU#123456] Letter from CERT Example\r\n"
        b"Date: Wed, 04 Mar 2026 15:06:07 +0000\r\n"
        b"Message-ID: <a1@cert.example>\r\n"
        b"In-Reply-To: <q@vendor.example>\r\n"
        b"References: <p@vendor.example>\r\n <q@vendor.example>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\nVU#123456\r\n\r\nHello.\r\n"
    )


def test_the_same_arguments_give_the_same_bytes():
    made = [compose.message(PLAIN, "x", [Attachment("a", b"b")], SEED) for _ in range(2)]
    assert made[0] == made[1] != compose.message(PLAIN, "x", [Attachment("a", b"b")], "other")


@pytest.mark.row("S24")
@pytest.mark.parametrize(
    ("auto", "sender"), [("", "cert@cert.example"), (compose.AUTOMATIC, "cert@cert.example"), (compose.ANSWERED, "")]
)
def test_robots_are_told_what_we_are(auto, sender):
    mail = email.message_from_bytes(compose.message(with_(auto_submitted=auto), "x"))
    assert mail.get("Auto-Submitted", "") == auto
    assert ("X-Auto-Response-Suppress" in mail) == bool(auto)
    assert "Precedence" not in mail
    assert compose.envelope_sender("cert@cert.example", auto) == sender


def test_dates_are_utc():
    date = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert email.message_from_bytes(compose.message(with_(date=date), "x"))["Date"] == "Wed, 04 Mar 2026 15:06:07 +0000"


def test_a_long_thread_keeps_its_root_and_its_newest():
    ids = tuple(f"<{n}@vendor.example>" for n in range(500))
    kept = email.message_from_bytes(compose.message(with_(references=ids), "x"))["References"].split()
    assert kept == ["<0@vendor.example>", *ids[-19:]]


@pytest.mark.parametrize(
    "odd",
    ["", "no brackets", "<a b@c>", "<a@b>\r\nBcc: <x@y>", "<a@b", "<é@b>", f"<{'a' * 251}>", "<a@b> <c@d>", "<>"],
)
def test_an_id_that_is_none_is_left_out(odd):
    mail = email.message_from_bytes(compose.message(with_(in_reply_to=odd, references=("<a@b>", odd)), "x"))
    assert "In-Reply-To" not in mail
    assert mail["References"] == "<a@b>"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"to": "a@b.example, c@d.example"}, "not one mail address"),
        ({"to": "a@b.example\r\nBcc: c@d.example"}, "not one"),
        ({"to": "<a@b.example>"}, "not one"), ({"to": ""}, "not one"), ({"to": "a@b.example "}, "not one"),
        ({"to": "group: a@b.example;"}, "not one"), ({"to": '"a b"@c.example'}, "not one"),
        ({"to": "a@b@c.example"}, "not one"),
        ({"to": "a\u202eb@c.example"}, "not one"), ({"to": "a\u2028@c.example"}, "not one"),
        ({"to": "a\ud800@c.example"}, "not one"),
        ({"to": "a@" + "b" * 64 + ".example"}, "not one"), ({"to": "a@" + "b." * 126 + "cc"}, "too long"),
        ({"sender": "cert"}, "not one"), ({"message_id": "a@b"}, "Message-ID"),
        ({"message_id": "<a@b>\r\nX: y"}, "Message-ID"),
        ({"date": NOW.replace(tzinfo=None)}, "aware date"), ({"auto_submitted": "no\r\nX: y"}, "Auto-Submitted"),
    ],
)  # fmt: skip
def test_what_a_caller_must_get_right_is_refused(changed, says):
    with pytest.raises(ValueError, match=says) as refused:
        compose.message(with_(**changed), "x")
    assert "example" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("a@b.example", "a@b.example"), ("cert@localhost.localdomain", "cert@localhost.localdomain"), ("a@b", "a@b"),
        ("a.b+c=d_e'f@g-h.example", "a.b+c=d_e'f@g-h.example"), ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"), ("a@müller.example", "a@xn--mller-kva.example"),
        ("jörg@müller.example", "jörg@xn--mller-kva.example"), ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
    ],
)  # fmt: skip
def test_addresses_as_they_go_over_the_wire(address, wire):
    assert compose.wire_address(address) == wire
    mail = email.message_from_bytes(compose.message(with_(to=address), "x"), policy=email.policy.SMTPUTF8)
    assert str(mail["To"]) == wire


@pytest.mark.parametrize(
    ("phrase", "vu", "ref", "result"),
    [
        ("Letter", "VU#123456", "", "[VU#123456] Letter"),
        ("Letter", "VU#123456", "ACME-4411", "[VU#123456] [ACME-4411] Letter"),
        ("Letter", "VU#123456", "INC#77/2.b:c_d", "[VU#123456] [INC#77/2.b:c_d] Letter"),
        ("Letter", "VU#123456", "VU#999999", "[VU#123456] Letter"),
        ("Letter", "VU#123456", "statement-7", "[VU#123456] Letter"),
        ("Letter", "VU#123456", "A]\r\nBcc: x", "[VU#123456] Letter"),
        ("Letter", "VU#123456", "x" * 41, "[VU#123456] Letter"),
        ("Re: Vendor STATEMENT", "VU#123456", "", "[VU#123456] Vulnerability coordination"),
        ("see vu\uff03 999999", "VU#123456", "", "[VU#123456] Vulnerability coordination"),
        ("VRF#25-01-BCDFG", "VU#123456", "", "[VU#123456] Vulnerability coordination"),
        ("\r\n", "VU#123456", "", "[VU#123456] Vulnerability coordination"),
        ("Mail has\narrived", "", "", "Mail has arrived"),
    ],
)
def test_a_subject_leads_answers_to_one_case(phrase, vu, ref, result):
    assert compose.subject(phrase, vu, ref) == result


def test_tags_stay_readable_beside_encoded_words():
    raw = compose.message(with_(subject=compose.subject("Grüße an alle " * 8, "VU#123456", "ACME-4411")), "x")
    assert b"Subject: [VU#123456] [ACME-4411] =?utf-8?" in raw


# ---- quotes and files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("hello\n\nworld  \n", "> hello\n>\n> world"), ("> deep\n>> deeper", ">> deep\n>>> deeper"),
        ("one\r\ntwo\rthree\x0bfour", "> one\n> two\n> three\n> four"),
        ("a\nb\nc\nd\ne", "> a\n> b\n> c\n> [… 2 more lines]"),
    ],
)  # fmt: skip
def test_a_quote(text, quoted):
    made = compose.quote(text, "Jane\r\nDoe", NOW, most=4 if text != "a\nb\nc\nd\ne" else 3)
    assert made == f"On 2026-03-04 15:06 UTC, Jane Doe wrote:\n\n{quoted}"


@pytest.mark.parametrize("text", ["", " \r\n\t\n", "\x00"])
def test_nothing_is_quoted_of_nothing(text):
    assert compose.quote(text, "x", NOW) == ""


@given(ANY_TEXT)
def test_every_quoted_line_is_marked(text):
    lines = compose.quote(text, "x", NOW).split("\n")[2:]
    assert all(line.startswith(">") for line in lines)


@pytest.mark.row("S31")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("patch.diff", "patch.diff"), ("a b (1).txt", "a b (1).txt"), ("../../etc/passwd", "passwd"),
        ("/etc/cron.d/x", "x"),
        ("C:\\x\\con.txt", "con.txt"), ("", "attachment"), ("..", "attachment"), (".profile", "profile"),
        ('a"; filename="b', 'a"; filename="b'), ("x\r\nBcc: y", "x Bcc: y"), ("\u202egpj.exe", "gpj.exe"),
        ("Grüße 報告.pdf", "Grüße 報告.pdf"),
        ("x" * 5000, "x" * 99 + "…"), ("é" * 99, "é" * 99),
    ],
)  # fmt: skip
def test_an_attachment_keeps_its_bytes_and_a_harmless_name(name, shown):
    content = bytes(range(256)) * 9
    raw = compose.message(PLAIN, "see file", [Attachment(name, content), Attachment("empty", b"")], SEED)
    wire_is_safe(raw)
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    first, second = mail.iter_attachments()
    assert first.get_filename() == shown
    assert first.get_content_disposition() == "attachment"
    assert first.get_payload(decode=True) == content
    assert second.get_payload(decode=True) == b""
    assert mail.get_body().get_content().rstrip() == "see file"


@pytest.mark.parametrize(
    ("given_type", "declared"),
    [
        ("text/x-diff", "text/x-diff"), ("message/rfc822", "application/octet-stream"),
        ("", "application/octet-stream"),
        ("multipart/mixed", "application/octet-stream"), ("text/html; x=y", "application/octet-stream"),
        ("text/x\r\nBcc: y", "application/octet-stream"),
    ],
)  # fmt: skip
def test_a_media_type_is_one_or_a_stream_of_bytes(given_type, declared):
    raw = compose.message(PLAIN, "x", [Attachment("a", b"b", given_type)], SEED)
    assert email.message_from_bytes(raw).get_payload()[1].get_content_type() == declared


def test_a_boundary_that_stands_in_the_letter_is_not_used():
    first = compose.message(PLAIN, "x", [Attachment("a", b"b")], SEED)
    [limit] = re.findall(rb'boundary="([^"]+)"', first)
    body = f"x\nx {limit.decode()}\n--{limit.decode()}--\nend"
    again = compose.message(PLAIN, body, [Attachment("a", b"b")], SEED)
    assert body_of(again) == body + "\n"
    assert len(email.message_from_bytes(again).get_payload()) == 2


# ---- OpenPGP, with the real gpg, after a real hop -------------------------------------------------------------------


class Gpg:
    """A throw-away keyring with one key of ours and one of a vendor's."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for who in ("cert@cert.example", "psirt@vendor.example"):
            self("--quick-generate-key", who, "default", "default", "never")

    def __call__(self, *arguments: str | Path, data: bytes = b"", status: int = 0) -> bytes:
        quiet = ["--batch", "--no-tty", "--passphrase", "", "--pinentry-mode", "loopback", "--trust-model", "always"]
        command = ["gpg", "--homedir", self.home, *quiet, *arguments]
        done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout

    def sign(self, data: bytes) -> str:
        arguments = ("--local-user", "cert@cert.example", "--digest-algo", "SHA512", "--armor", "--detach-sign")
        return self(*arguments, data=data).decode()

    def verify(self, signed: bytes, signature: bytes, folder: Path, status: int = 0) -> None:
        (folder / "data").write_bytes(signed)
        (folder / "data.asc").write_bytes(signature)
        self("--verify", folder / "data.asc", folder / "data", status=status)


@pytest.fixture(scope="module")
def gpg():
    home = Path(tempfile.mkdtemp(prefix="gpg", dir="/tmp"))  # a long path kills the agent
    try:
        yield Gpg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], timeout=30, check=False)
        shutil.rmtree(home, ignore_errors=True)


def slices(raw: bytes) -> list[bytes]:
    """The parts of the outermost multipart, as they came: RFC 2046 section 5.1.1, by hand."""
    [limit] = re.findall(rb'\nContent-Type: multipart/(?:signed|encrypted);[^\0]*?boundary="([^"]+)"', raw)
    line = b"--" + limit
    body = raw.partition(b"\r\n\r\n")[2]
    assert body.startswith(line + b"\r\n")
    assert body.endswith(b"\r\n" + line + b"--\r\n")
    return body.removeprefix(line + b"\r\n").removesuffix(b"\r\n" + line + b"--\r\n").split(b"\r\n" + line + b"\r\n")


BODIES = {
    "plain": "VU#123456\n\nHello.\n",
    "trailing blanks": "VU#123456  \n\t\n-- \nAda \n\n\n",
    "mailbox files": "VU#123456\nFrom here on\n>From there\nFrom \n",
    "dots": "VU#123456\n.\n..\n.\r\n.\n\r\n.\r\n. x\n",
    "boundaries": "VU#123456\n--\n--x\n--=_x--\n",
    "eight bits": "VU#123456\nGrüße, 報告, \u2028 and \u202e\n",
    "long lines": f"VU#123456\n{'x' * 3000}\n{'é ' * 800}\n",
    "armor": "VU#123456\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n",
    "empty": "",
    "smuggling": "VU#123456\n.\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\n",
}


@pytest.mark.row("S02")
@pytest.mark.parametrize("files", [(), (Attachment("a.diff", b"x  \r\n.\r\nFrom y\n"),)], ids=["text", "with a file"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_signed_letter_verifies_after_a_hop(gpg, smarthosts, tmp_path, body, files):
    inner = compose.entity(body, files, SEED, protect=PLAIN)
    raw = compose.signed(PLAIN, inner, gpg.sign(inner), "pgp-sha512", SEED)
    wire_is_safe(raw)
    sink = smarthosts(end_of_data=LENIENT)
    carrier = relay.make(f"smtp://127.0.0.1:{sink.port}", tmp_path)
    assert carrier.send(raw, "cert@cert.example", "psirt@vendor.example").state == "sent"
    [arrived] = sink.taken
    assert arrived.data == raw
    signed, proof = slices(arrived.data)
    assert signed == inner
    signature = proof.partition(b"\r\n\r\n")[2]
    gpg.verify(signed, signature, tmp_path)
    gpg.verify(signed.replace(b"VU#123456", b"VU#123457") + b"x", signature, tmp_path, status=1)
    assert body_of(signed) == texts.block(body) + "\n"
    mail = email.message_from_bytes(arrived.data)
    assert (mail.get_content_type(), mail.get_param("protocol"), mail.get_param("micalg")) == (
        "multipart/signed", "application/pgp-signature", "pgp-sha512",
    )  # fmt: skip


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ANY_TEXT, LINES)
def test_any_letter_verifies_however_it_was_treated(gpg, tmp_path, name, body):
    """Gateways strip blanks at line ends, quote `From ` and rewrite line ends: none of it touches what is signed."""
    headers = with_(sender_name=name)
    inner = compose.entity(body, protect=headers)
    raw = compose.signed(headers, inner, gpg.sign(inner), "pgp-sha512", SEED)
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    treated = b"\r\n".join(re.sub(rb"^From ", b">From ", line.rstrip(b" \t")) for line in lines)
    signed, proof = slices(treated)
    gpg.verify(signed, proof.partition(b"\r\n\r\n")[2], tmp_path)


@pytest.mark.parametrize("files", [(), (Attachment("a.bin", b"\0\1"),)], ids=["text", "with a file"])
def test_an_encrypted_letter_shows_outside_only_what_it_must(gpg, files):
    inside = with_(subject="[VU#123456] Buffer overflow in ACME Router")
    inner = compose.entity("VU#123456\n\nThe secret.\n", files, SEED, protect=inside, outer=PLAIN)
    seal = ("--local-user", "cert@cert.example", "--recipient", "psirt@vendor.example", "--armor", "--sign")
    raw = compose.encrypted(PLAIN, gpg(*seal, "--encrypt", data=inner).decode(), SEED)
    wire_is_safe(raw)
    assert b"Buffer" not in raw
    assert b"secret" not in raw
    mail = email.message_from_bytes(raw)
    assert (mail.get_content_type(), mail.get_param("protocol")) == ("multipart/encrypted", "application/pgp-encrypted")
    version, content = slices(raw)
    assert version == b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
    assert gpg("--decrypt", data=content.partition(b"\r\n\r\n")[2]) == inner
    shown = email.message_from_bytes(inner)
    assert shown["Subject"] == "[VU#123456] Buffer overflow in ACME Router"
    assert shown.get_param("hp") == "cipher"
    assert "Subject: [VU#123456] Letter from CERT Example" in shown.get_all("HP-Outer")
    assert body_of(inner) == "VU#123456\n\nThe secret.\n"


def test_a_signed_letter_protects_its_headers():
    inner = email.message_from_bytes(compose.entity("x", protect=PLAIN))
    assert inner.get_param("hp") == "clear"
    assert inner.get_all("HP-Outer") is None
    for header in ("From", "To", "Subject", "Date", "Message-ID"):
        assert inner[header] == email.message_from_bytes(compose.message(PLAIN, "x"))[header]


def test_without_protection_an_entity_has_mime_headers_only():
    assert email.message_from_bytes(compose.entity("x")).keys() == ["Content-Type", "Content-Transfer-Encoding"]


SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n"


@pytest.mark.parametrize(
    "armor",
    ["", "abcd", SIGNATURE.replace("abcd", "äbcd"), SIGNATURE.replace("abcd", "a\0b"),
     SIGNATURE.replace("SIGNATURE", "MESSAGE"),
     SIGNATURE + "more", "before\n" + SIGNATURE, SIGNATURE.replace("\n", "")],
)  # fmt: skip
def test_what_is_no_armor_is_refused(armor):
    with pytest.raises(ValueError, match="not an armored PGP SIGNATURE"):
        compose.signed(PLAIN, compose.entity("x"), armor, "pgp-sha512", SEED)
    with pytest.raises(ValueError, match="not an armored PGP MESSAGE"):
        compose.encrypted(PLAIN, SIGNATURE, SEED)


@pytest.mark.parametrize("micalg", ["", "sha512", "pgp-SHA512", 'pgp-sha512"; x="y', "pgp-sha512\r\nX: y"])
def test_a_micalg_is_one(micalg):
    with pytest.raises(ValueError, match="micalg"):
        compose.signed(PLAIN, compose.entity("x"), SIGNATURE, micalg, SEED)


def test_armor_may_come_with_either_line_end():
    inner = compose.entity("x")
    made = {compose.signed(PLAIN, inner, SIGNATURE.replace("\n", end), "pgp-sha512", SEED) for end in ("\n", "\r\n")}
    assert len(made) == 1


# ---- from text to mail ----------------------------------------------------------------------------------------------


@pytest.mark.row("S32")
@pytest.mark.parametrize("name", texts.LETTERS)
def test_every_letter_becomes_a_mail(name):
    hostile = dict.fromkeys(texts.LETTERS[name].fields, "x\r\nBcc: v@elsewhere.example\u2028\x85\0{{7*7}} $vu %s")
    filled = texts.read()[name].fill(hostile | {"vu": "VU#123456"})
    auto = compose.AUTOMATIC if filled.automatic else ""
    raw = compose.message(with_(subject=compose.subject(filled.subject, "VU#123456"), auto_submitted=auto), filled.body)
    mail = email.message_from_bytes(raw)
    assert "Bcc" not in mail
    assert body_of(raw) == filled.body + "\n"
    assert "{{7*7}} $vu %s" in " ".join(body_of(raw).split())
    wire_is_safe(raw)
