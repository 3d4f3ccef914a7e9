"""What is found among the parts of a mail: which file a signature is beside, and what was put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import pgpmime
from mailrouter.mail.openpgp import Shape
from tests.pgp import mails
from tests.pgp.cases.files import NOTE, file

SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"
MESSAGE = b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n"
KIND = "application/pgp-signature"


@pytest.mark.row("P43")
@pytest.mark.parametrize(
    ("parts", "signed"),
    [
        ((file("a.pdf", b"A"), file("b.pdf", b"B"), file("a.pdf.sig", SIGNATURE)), ("a.pdf", b"A", False)),
        ((file("b.pdf.asc", SIGNATURE, KIND), file("a.pdf", b"A"), file("b.pdf", b"B")), ("b.pdf", b"B", False)),
        ((file("a.pdf", b"A"), file("a.sig", SIGNATURE)), ("a.pdf", b"A", False)),
        ((file("a.pdf", b"A"), file("c.sig", SIGNATURE)), None),
        ((file("a.pdf", b"A"), file("a.pdf.sig", b"no signature")), None),
        ((file("a.pdf.sig", SIGNATURE),), None),
        ((b"\r\ntext", b"Content-Type: application/pgp-signature\r\n\r\n" + SIGNATURE), ("", b"\r\ntext", True)),
    ],
)
def test_what_a_signature_is_beside(parts: tuple[bytes, ...], signed: tuple[str, bytes, bool] | None) -> None:
    found = pgpmime.sealed(mails.mixed(*parts))
    assert (found and (found.file, found.data, found.repaired)) == signed
    assert found is None or (found.shape, found.whole) == (Shape.SIGNED, False)


@pytest.mark.row("P105")
def test_the_mails_own_seal_comes_before_its_files() -> None:
    found = pgpmime.sealed(mails.mixed(b"\r\n" + MESSAGE, file("a.pgp", MESSAGE)))
    assert found is not None
    assert (found.shape, found.file) == (Shape.MESSAGE, "")


@pytest.mark.row("P106")
def test_files_of_an_attached_mail_are_left_alone() -> None:
    inner = mails.HEAD + file("a.pgp", MESSAGE)
    assert pgpmime.sealed(mails.mixed(NOTE, b"Content-Type: message/rfc822\r\n\r\n" + inner)) is None


@given(st.lists(st.sampled_from([
    NOTE, file("a.pgp", MESSAGE), file("a.pgp", b"\x85\x01"), file("a.asc", SIGNATURE, KIND), file("a", b""),
    b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n", b"Content-Type: text/x; name=\"\r\n\r\n",
]), max_size=6), st.binary(max_size=40))  # fmt: skip
def test_no_file_raises_and_none_is_the_whole_mail(parts: list[bytes], noise: bytes) -> None:
    found = pgpmime.sealed(mails.mixed(*parts, noise))
    assert found is None or not found.whole
