"""Notes to be shown: one of five vendors as it would be in earnest, one with 121, one as hostile as can be."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.note import Edition, Note, Revised, Sections, Statement, Status, Vendor, Vulnerability

PUBLISHER = Publisher(
    name="CERT Example",
    url="https://notes.cert.example",
    policy_url="https://cert.example/disclosure",
    address="cert@cert.example",
    phone="+49 30 901820",
    fingerprint="3D3A1D1F5E0C7B52A2C4F6E9B8D7A6C5E4F3A2B1",
    key_url="",
)
KEY = "9F2C41D07A6B35E8C1D4A0F7B3E6925D8C7A1B04"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def statement(text: str, made: str, proof: str = "signed") -> Statement:
    digest = sha256(text.encode("utf-8", "replace")).hexdigest()
    return Statement(text, at(made), proof, at(made), KEY if proof == "signed" else "", digest)


def statuses(first: str, second: str, *, fixed: str = "") -> tuple[Status, ...]:
    return (Status(1, first, fixed), Status(2, second, fixed if second == "Affected" else ""))


SECTIONS = Sections(
    title="Image parsing library libfoo writes past the end of a buffer when it reads crafted colour profiles",
    overview="libfoo, a library that many products use to read pictures, does not check a length in embedded colour"
    " profiles. Whoever can have a crafted picture opened may run code with the rights of the program that opens it.",
    description="""libfoo reads the ICC colour profile embedded in PNG and JPEG pictures. The tag table of a profile \
names an offset and a length for each tag; libfoo versions **1.2.0 to 1.2.2** add the two in 32 bits, and copy the tag \
before the sum is compared with the size of the profile.

A second fault in the same parser makes it read up to 64 KiB past the end of the profile when the profile's own size \
is smaller than its header says. What is read may end up in a thumbnail.

Both need nothing but a picture: no interaction is needed where pictures are processed as they arrive, as in mail \
gateways and chat programs. The flaw is in `icc_read_tag()`:

```
if (tag->offset + tag->length > profile->size)   /* wraps */
    return ICC_EBOUNDS;
memcpy(out, profile->data + tag->offset, tag->length);
```""",
    impact="An attacker who can have a picture opened may **execute code** with the rights of the program that opens"
    " it (CVE-2026-41234), or learn up to 64 KiB of its memory (CVE-2026-41235).",
    solution="""### Update

Install libfoo **1.2.3** or later, or the fixed version of the product that contains it; see the vendors below.

### Workarounds

- Have pictures' colour profiles removed at the border, for instance with `exiftool -icc_profile= FILE`.
- Where thumbnails are not needed, turn them off.""",
    acknowledgements="Thanks to R. Mustermann of the Example University for reporting this vulnerability, and to"
    " Example Networks for testing the patch.\n\nThis document was written by Alice Analyst.",
    references=(
        "https://libfoo.example/security/2026-01",
        "https://cwe.mitre.org/data/definitions/190.html",
        "https://www.color.org/specification/ICC.1-2022-05.pdf",
    ),
)
VULNERABILITIES = (
    Vulnerability(
        1, "Heap overflow in icc_read_tag()", "CVE-2026-41234", "vendor", "Example Networks", "CWE-190",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H",
        "The sum of a tag's offset and length wraps, so that the check that follows passes.",
    ),
    Vulnerability(
        2, "Out-of-bounds read behind a short profile", "CVE-2026-41235", "reserved", "", "CWE-125",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:N/A:N", "",
    ),
)  # fmt: skip
VENDORS = (
    Vendor(
        11, "Acme Imaging", "answered", "Affected", statuses("Affected", "Not Affected", fixed="PhotoDesk 7.4.1"),
        at("2026-01-19T10:02"), at("2026-03-03T08:40"),
        statement(
            "Acme Imaging has confirmed that PhotoDesk 7.0 to 7.4.0 contain a vulnerable copy of libfoo.\n\n"
            "  * PhotoDesk 7.4.1 contains libfoo 1.2.3 and is available through the built-in updater.\n"
            "  * PhotoDesk 6 never read colour profiles with libfoo and is not affected.\n\n"
            "Customers who cannot update should set <Preferences/Colour/UseEmbeddedProfiles> to \"never\".\n\n"
            "--\nAcme Imaging PSIRT <psirt@acme.example>",
            "2026-03-01T14:12",
        ),
        "Acme's updater checks for new versions **once a week**. We suggest to start it by hand.",
        ("https://acme.example/advisories/AI-2026-07",),
    ),
    Vendor(
        12, "Example Networks", "answered", "Not Affected",
        statuses("Not Affected", "Not Affected"),
        at("2026-01-19T10:02"), at("2026-02-11T16:20"),
        statement("Our products remove colour profiles before pictures are parsed.", "2026-02-11T16:20", "mail"),
        "", (),
    ),
    Vendor(
        13, "Kite Chat GmbH & Co. KG", "answered", "Affected", statuses("Affected", "Affected", fixed="Kite 26.2"),
        at("2026-01-19T10:03"), at("2026-02-20T09:00"),
        statement("Kite 26.2 für alle Plattformen behebt beide Fehler.", "2026-02-20T09:00", "telephone"), "", (),
    ),
    Vendor(
        14, "Northwind Printers", "non-responsive", "Unknown", statuses("Unknown", "Unknown"),
        at("2026-01-19T10:03"), None, None, "", (),
    ),
    Vendor(
        15, "The libfoo project", "answered", "Affected", statuses("Affected", "Affected", fixed="libfoo 1.2.3"),
        at("2026-01-12T09:30"), at("2026-03-02T12:00"),
        statement(
            "libfoo 1.2.3 fixes both.\nPatches for 1.0 and 1.1 are in the repository: v1.0.9-icc and v1.1.6-icc.\n",
            "2026-03-02T12:00",
        ),
        "", ("https://libfoo.example/security/2026-01", "https://git.libfoo.example/libfoo/commit/5e1f0ab"),
    ),
)  # fmt: skip
FIVE = Edition(
    Note(261234, SECTIONS, VULNERABILITIES, VENDORS, None),
    (
        Revised(1, at("2026-03-02T13:00"), "First published."),
        Revised(2, at("2026-03-03T09:15"), "Acme Imaging: fixed version added to its statement."),
    ),
)


def crowd(number: int = 121) -> Edition:
    """So many vendors, most of them silent."""
    vendors = []
    for one in range(number):
        status = ("Affected", "Not Affected", "Unknown", "Unknown", "Unknown")[one % 5]
        says = statement(f"Vendor {one} says so.\nTwice.", "2026-02-01T10:00") if status != "Unknown" else None
        progress = "answered" if says else ("contacted", "non-responsive", "undeliverable")[one % 3]
        vendors.append(
            Vendor(
                100 + one, f"Vendor {one:03} of Networks and Long Names, Inc.", progress, status,
                statuses(status, status), at("2026-01-19T10:02"), says.made_at if says else None, says, "", (),
            )
        )  # fmt: skip
    return replace(FIVE, note=replace(FIVE.note, vu=300121, vendors=tuple(vendors)))


def _another(vu: int, title: str, day: str, cves: int, vendors: int, later: str = "") -> Edition:
    flaws = tuple(
        replace(VULNERABILITIES[0], number=one + 1, cve=f"CVE-2026-{vu % 90000 + one:05}") for one in range(cves)
    )
    history = (
        Revised(1, at(day), "First published."),
        *((Revised(2, at(later), "One more vendor."),) if later else ()),
    )
    words = replace(SECTIONS, title=title)
    return Edition(Note(vu, words, flaws, crowd(vendors).note.vendors, None), history)


SEVERAL = [
    FIVE,
    _another(250871, "Mail servers accept forged replies when two queues share a name", "2026-02-11T14:00", 1, 12),
    _another(248127, "Boot loader of Example routers does not verify the second stage", "2026-01-27T13:00", 1, 1),
    _another(
        239045, "Several implementations of the Example meeting protocol reuse nonces", "2025-12-02T13:00", 4, 31,
        "2026-02-18T10:00",
    ),
    _another(231764, "Backup program keeps its password in a file that all users can read", "2025-11-19T12:00", 1, 2),
]  # fmt: skip
