"""A vendor's statement: kept as it was signed, and anybody with gpg can check it."""

import re
import subprocess
from collections.abc import Callable

from tests.journey.office import Office
from tests.journey.people import Gnupg, Organisation

TEXT = "Acme AX-7 is affected.\n\n- Version 7.2 corrects this.\nFrom here on: größer als nötig = no.\n"
MARKED = "Dear all,\n== VENDOR STATEMENT VU#{vu} ==\n{text}== END ==\nRegards\n"


def crlf(text: str) -> bytes:
    """As it goes over the wire."""
    return text.encode().replace(b"\n", b"\r\n")


FORMS: dict[str, Callable[[Organisation, int], tuple[bytes, bytes]]] = {
    "pgp-mime": lambda acme, vu: (
        acme.signed(f"VU#{vu} statement", f"VU#{vu}\n{TEXT}", "8bit"), crlf(f"VU#{vu}\n{TEXT}"),
    ),
    "marked": lambda acme, vu: (acme.signed(f"Re: VU#{vu}", MARKED.format(vu=vu, text=TEXT), "8bit"), crlf(TEXT)),
    "quoted-printable": lambda acme, vu: (
        acme.signed(f"Re: VU#{vu}", MARKED.format(vu=vu, text=TEXT), "quoted-printable"), crlf(TEXT),
    ),
    "base64": lambda acme, vu: (acme.signed(f"VU#{vu}", MARKED.format(vu=vu, text=TEXT), "base64"), TEXT.encode()),
}  # fmt: skip


def test_it_stands_and_gpg_agrees(small_office: Office, acme: Organisation, reader: Gnupg) -> None:
    """In every transfer encoding; one case each."""
    office = small_office
    office.vendor(acme)
    reader.knows(acme.key)
    for form, write in FORMS.items():
        vu = office.open(acme)
        raw, text = write(acme, vu)
        office.mail(acme.address, raw)
        (kept,) = office.case(vu)["statements"]
        assert (kept["state"], kept["bound"], kept["fingerprint"]) == ("verified", True, acme.fingerprint), form
        assert office.bytes("statement", "show", str(vu), "Acme", "--verbatim") == text

        office.node.run("statement", "show", str(vu), "Acme", "--signed", form)
        proof = office.node.folder / form
        done = reader.run("--status-fd", "1", "--verify", proof / "statement.asc", proof / "statement")
        assert re.search(rf"VALIDSIG .*{acme.fingerprint}", done.stdout.decode())
        assert (proof / "statement").read_bytes() in raw


def test_a_cleartext_signature_is_one_file(small_office: Office, acme: Organisation, reader: Gnupg) -> None:
    office = small_office
    office.vendor(acme)
    vu = office.open(acme)
    office.mail(acme.address, acme.clearsigned(f"VU#{vu} statement", f"VU#{vu}\nNot affected.\n"))
    (kept,) = office.case(vu)["statements"]
    assert (kept["state"], kept["form"]) == ("verified", "cleartext")
    office.node.run("statement", "show", str(vu), "Acme", "--signed", "proof")
    assert [path.name for path in (office.node.folder / "proof").iterdir()] == ["statement.asc"]
    reader.knows(acme.key)
    done = subprocess.run(
        ["gpg", "--homedir", reader.home, "--batch", "--verify", office.node.folder / "proof/statement.asc"],
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_held_then_signed_then_approved(small_office: Office, acme: Organisation) -> None:
    office = small_office
    office.vendor(acme)
    vu = office.open(acme)
    office.mail(acme.address, acme.plain(f"Statement on VU#{vu}", "Not affected.\n"))
    (held,) = office.case(vu)["statements"]
    assert (held["state"], held["reason"], held["approved"]) == ("held", "it is not signed", False)
    refused = office.node.run("statement", "approve", str(vu), "Acme", status=None)
    assert (refused.returncode, refused.stdout) != (0, "")
    assert refused.stderr.startswith("mailrouter: the statement of Acme is held: it is not signed; ")

    office.mail(acme.address, acme.signed(f"Statement on VU#{vu}", f"VU#{vu}: not affected.\n"))
    assert [s["state"] for s in office.case(vu)["statements"]] == ["held", "verified"]
    office.node.run("statement", "approve", str(vu), "Acme")
    newer = acme.signed(f"Statement on VU#{vu}", f"VU#{vu}: affected after all.\n")
    office.mail(acme.address, newer)
    states = [(s["state"], s["approved"]) for s in office.case(vu)["statements"]]
    assert states == [("held", False), ("superseded", True), ("verified", False)]
    assert b"after all" in office.bytes("statement", "show", str(vu), "Acme", "--verbatim")


def test_signed_by_another_it_is_held(small_office: Office, acme: Organisation, bolt: Organisation) -> None:
    """The right address with another vendor's key: nothing stands."""
    office = small_office
    office.vendor(acme)
    office.vendor(bolt)
    vu = office.open(acme, bolt)
    forged = bolt.signed(f"VU#{vu} statement", f"VU#{vu}: all is well.\n")
    office.mail(acme.address, forged.replace(bolt.address.encode(), acme.address.encode()))
    (kept,) = office.case(vu)["statements"]
    assert (kept["vendor"], kept["state"]) == ("Acme", "held")
    assert kept["reason"] == "it is signed by a key that is not pinned to its sender's organisation"
