"""Finding the keys a mail brings along: every way in which people send them, and nothing else."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import offers, parse
from mailrouter.mail.offers import Found

FROM = "psirt@vendor.example"
BINARY = b"\x98\x33\x04" + bytes(range(200))
ENCODED = b64encode(BINARY).decode()
LINES = "\r\n".join(ENCODED[i : i + 64] for i in range(0, len(ENCODED), 64))
PUBLIC = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\n{LINES}\r\n=abcd\r\n-----END PGP PUBLIC KEY BLOCK-----\r\n"
SECRET = PUBLIC.replace("PUBLIC", "PRIVATE")
QUOTED = "".join(f"> {line}\r\n" for line in SECRET.splitlines())


def found(body: str, *head: str, sender: str = FROM) -> Found:
    """What is found; what is not worth a look has nothing."""
    raw = "\r\n".join([f"From: {FROM}", "Subject: x", *head]).encode() + b"\r\n\r\n" + body.encode()
    seen = offers.of_mail(parse.mail(raw), sender)
    assert seen == offers.NOTHING or offers.possible(raw)
    return seen


def autocrypt(addr: str = FROM, more: str = "prefer-encrypt=mutual; ", keydata: str = ENCODED) -> str:
    return f"Autocrypt: addr={addr}; {more}keydata=\r\n {keydata[:70]}\r\n {keydata[70:]}"


def part(content: str, *head: str) -> str:
    return "--b\r\n" + "\r\n".join(head) + f"\r\n\r\n{content}\r\n"


def mixed(*parts: str) -> tuple[str, ...]:
    return "".join(parts) + "--b--\r\n", 'Content-Type: multipart/mixed; boundary="b"'


# ---- Autocrypt -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "taken"),
    [
        ([autocrypt()], True),
        ([autocrypt(FROM.upper())], True),
        ([autocrypt(more="_unknown=1; ")], True),
        ([autocrypt(more="")], True),
        ([autocrypt("other@vendor.example")], False),
        ([autocrypt("")], False),
        ([autocrypt(more="critical=1; ")], False),
        ([autocrypt(), autocrypt()], False),
        ([autocrypt(), autocrypt("other@vendor.example")], True),
        (["Autocrypt: addr=psirt@vendor.example"], False),
        (["Autocrypt:"], False),
        (["Autocrypt: keydata=" + ENCODED], False),
    ],
)
def test_autocrypt_is_the_one_valid_header_of_the_sender(head: list[str], taken: bool) -> None:
    seen = found("Hello\r\n", *head)
    assert [(o.source, o.data) for o in seen.offers] == ([("autocrypt", BINARY)] if taken else [])
    assert not seen.secret


def test_without_a_sender_there_is_no_autocrypt() -> None:
    assert found("Hello\r\n", autocrypt(), sender="").offers == ()


# ---- attached and inline -------------------------------------------------------------------------------------------

KEYS = "Content-Type: application/pgp-keys"
BASE64 = "Content-Transfer-Encoding: base64"
TEXT = "Content-Type: text/plain"


def attached(name: str) -> str:
    return f'Content-Disposition: attachment; filename="{name}"'


@pytest.mark.parametrize(
    ("parts", "source"),
    [
        ([part(PUBLIC, KEYS)], "attached"),
        ([part(b64encode(PUBLIC.encode()).decode(), KEYS, BASE64)], "attached"),
        ([part(ENCODED, KEYS, BASE64)], "attached"),
        ([part(ENCODED, "Content-Type: application/octet-stream", BASE64, attached("acme.gpg"))], "attached"),
        ([part(PUBLIC, "Content-Type: application/octet-stream", attached("ACME.ASC"))], "attached"),
        ([part(PUBLIC, TEXT, attached("key.txt"))], "attached"),
        ([part("Hi", TEXT), part(f"Our key:\r\n{PUBLIC}Bye\r\n", TEXT)], "inline"),
        ([part(b64encode(f"Our key:\r\n{PUBLIC}".encode()).decode(), TEXT, BASE64)], "inline"),
        ([part(PUBLIC.replace("=abcd", "=3Dabcd"), TEXT, "Content-Transfer-Encoding: quoted-printable")], "inline"),
    ],
)
def test_a_key_is_found_wherever_people_put_it(parts: list[str], source: str) -> None:
    seen = found(*mixed(*parts))
    assert [o.source for o in seen.offers] == [source]
    assert not seen.secret
    assert ENCODED[:60].encode() in seen.offers[0].data or seen.offers[0].data == BINARY


@pytest.mark.parametrize(
    "parts",
    [
        [part("".join(f"> {line}\r\n" for line in PUBLIC.splitlines()), TEXT)],  # what they quote is not theirs
        [part(f"From: x@y.example\r\n\r\n{PUBLIC}", "Content-Type: message/rfc822")],  # nor what they forward
        [part("-----BEGIN PGP PUBLIC KEY BLOCK-----\r\nno end", TEXT)],
        [part("\r\n".join([LINES] * 3000), KEYS)],  # larger than any key
        [part("just text", KEYS)],
        [part(ENCODED, "Content-Type: image/png", BASE64, attached("key.png"))],
    ],
)
def test_what_is_no_key_of_theirs(parts: list[str]) -> None:
    assert found(*mixed(*parts)) == offers.NOTHING


def test_no_more_than_a_few_of_one_mail() -> None:
    assert len(found(PUBLIC * 50).offers) == offers.MOST


# ---- secret keys ---------------------------------------------------------------------------------------------------


@pytest.mark.row("P115")
@pytest.mark.parametrize(
    "parts",
    [
        [part(f"My key:\r\n{SECRET}", TEXT)],
        [part(SECRET.replace("\r\n\r\n", "\r\nVersion: GnuPG v2\r\nComment: x\r\n\r\n"), TEXT)],
        [part(SECRET[:200], TEXT)],  # cut off
        [part(QUOTED, TEXT)],
        [part(b64encode(SECRET.encode()).decode(), "Content-Type: x/octets", BASE64, attached("a.asc"))],
        [part(b64encode(SECRET.encode()).decode(), TEXT, BASE64)],
        [part(SECRET, KEYS)],
        [part(b64encode(b"\x95" + BINARY).decode(), KEYS, BASE64)],
        [part(b64encode(b"\xc5" + BINARY).decode(), "Content-Type: x/y", BASE64, attached("me.skr"))],
        [part(f"Subject: fw\r\n\r\n{SECRET}", "Content-Type: message/rfc822")],
        [part(f"<pre>{SECRET}</pre>", "Content-Type: text/html")],
    ],
)
def test_a_secret_key_is_seen_in_every_form(parts: list[str]) -> None:
    assert found(*mixed(*parts)).secret


@pytest.mark.parametrize(
    "text",
    [
        "gpg writes -----BEGIN PGP PRIVATE KEY BLOCK----- in front of it.\r\n",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\r\n(removed)\r\n-----END PGP PRIVATE KEY BLOCK-----\r\n",
        SECRET.replace("PGP ", "RSA "),
        PUBLIC,
    ],
)
def test_writing_about_secret_keys_is_no_incident(text: str) -> None:
    assert not found(text).secret


def test_a_text_for_people_shows_no_secret_key() -> None:
    for text in (f"a\n{SECRET}b", f"a\n{SECRET[:150]}"):
        shown = offers.redacted(text, "[not shown]")
        assert "[not shown]" in shown
        assert LINES[:40] not in shown
    assert offers.redacted(PUBLIC, "[not shown]") == PUBLIC


def test_in_a_text_that_was_encrypted() -> None:
    assert [o.source for o in offers.of_text(PUBLIC.encode()).offers] == ["inline"]
    assert offers.of_text(SECRET.encode()).secret


# ---- whatever the bytes are ----------------------------------------------------------------------------------------

PIECES = st.sampled_from([piece.encode() for piece in (
    PUBLIC, SECRET, "--b\r\n", f"{KEYS}\r\n\r\n", "\r\n", autocrypt(), "Autocrypt: ", PUBLIC[:38], BASE64,
)])  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=12).map(b"".join))
def test_never_raises_and_the_cheap_look_misses_nothing(raw: bytes) -> None:
    seen = offers.of_mail(parse.mail(raw), FROM)
    assert len(seen.offers) <= offers.MOST
    if seen != offers.NOTHING:
        assert offers.possible(raw)
    offers.of_text(raw)
