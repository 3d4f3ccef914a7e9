"""Notes for tests: one that is plain, one with many vendors, and what Hypothesis makes of all that a note can hold.

`notes()` and `editions()` give every shape the dataclasses allow, with any text (control characters, bidi, markup of
every kind) wherever somebody outside or an analyst writes; ids and times are those that our own code can make.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cvss import constants2, constants3, constants4
from hypothesis import strategies as st

from mailrouter.case import cvss, lifecycle, note
from mailrouter.case.formats.publisher import Publisher

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OURS = Publisher(
    name="CERT Example", url="https://notes.cert.example", policy_url="https://cert.example/policy",
    address="cert@cert.example", phone="+1 555 0100", fingerprint="0123456789ABCDEF0123456789ABCDEF01234567",
    key_url="https://notes.cert.example/key.asc",
)  # fmt: skip
NOWHERE = replace(OURS, url="", policy_url="", phone="", key_url="")  # a site that has no address yet

HOSTILE = (
    "]]>", "<script>alert(1)</script>", "&amp;&#0;", "\x00", "\x1b[31mred\x07", "\r\n", "\u2028", "\u2029", "\x85",
    "\u202eevil\u202c", "\u2066", "\ufeff", "\ufffe", "\U0001fffe", "\u200b", "| ", "-----BEGIN PGP SIGNATURE-----",
    "\n.\n", "== END ==", "```", "# Title", "[x](javascript:alert(1))", "![](http://x)", "{{ 7*7 }}", "%s", "\\", '"',
    "'", "\t", "<", "Signed by us", "e\u0301", "\u05d0\u05d1", "漢字", "\U0001f4a9", "CVE-2026-99999", " ", "",
)  # fmt: skip


# ---- plain ones ------------------------------------------------------------------------------------------------------

STATEMENT = note.Statement(
    text="We fixed this in 2.4.\n\nPlease update.", made_at=NOW, proof="signed", proved_at=NOW,
    fingerprint="89ABCDEF0123456789ABCDEF0123456789ABCDEF", sha256="ab" * 32,
)  # fmt: skip
FLAW = note.Vulnerability(
    number=1, title="Length not checked", cve="CVE-2026-12345", cve_source="reserved", assigner="", cwe="CWE-79",
    cvss="CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", text="A length is not checked.",
)  # fmt: skip
ACME = note.Vendor(
    id=21, name="ACME", progress="answered", status="Affected",
    statuses=(note.Status(1, "Affected", "2.4"),), notified_at=NOW - timedelta(days=45),
    updated_at=NOW - timedelta(days=2), statement=STATEMENT, addendum="", links=("https://acme.example/advisory",),
)  # fmt: skip
SILENT = replace(
    ACME, id=22, name="Silent Ltd", progress="contacted", status="Unknown", statement=None, links=(),
    statuses=(note.Status(1, "Unknown", ""),), updated_at=None,
)  # fmt: skip
SECTIONS = note.Sections(
    title="A flaw in many parsers", overview="Parsers do not check a length.", description="The *length* is read.",
    impact=note.IMPACT_UNKNOWN, solution="Update.", acknowledgements="Thanks to Ann.",
    references=("https://example.org/paper",),
)  # fmt: skip
NOTE = note.Note(vu=123456, sections=SECTIONS, vulnerabilities=(FLAW,), vendors=(ACME, SILENT), public_at=None)
FIRST = note.Edition(NOTE, (note.Revised(1, NOW, "First published"),))


def edition(**values: Any) -> note.Edition:
    """The first edition of the plain note, changed as said."""
    return replace(FIRST, note=replace(NOTE, **values))


def crowded(number: int = 121) -> note.Edition:
    """A note with so many vendors of every kind, and three vulnerabilities."""
    flaws = tuple(replace(FLAW, number=one, cve=f"CVE-2026-1234{one}") for one in (1, 2, 3))
    return edition(vulnerabilities=flaws, vendors=tuple(map(_one_of_many, range(number))))


def _one_of_many(place: int) -> note.Vendor:
    progress = lifecycle.states(lifecycle.PROGRESS)[place % 8]
    overall = ("Affected", "Not Affected", "Unknown")[place % 3]
    statuses = tuple(note.Status(one, overall, "2.4" if place % 2 else "") for one in (1, 2, 3))
    spoke = STATEMENT if place % 4 == 0 else None
    return replace(
        ACME, id=place + 1, name=f"Vendor {place:03}", progress=progress, status=overall, statuses=statuses,
        statement=spoke, addendum="We saw otherwise." if place % 12 == 0 else "",
    )  # fmt: skip


# ---- all there can be ------------------------------------------------------------------------------------------------

texts = st.lists(st.one_of(st.text(max_size=40), st.sampled_from(HOSTILE)), max_size=4).map("".join)
named = texts.filter(str.strip)
hexes = st.integers(0, 16**40 - 1).map("{:040X}".format)
instants = st.integers(0, 3_000_000_000_000).map(
    lambda one: datetime(1999, 1, 1, tzinfo=UTC) + timedelta(milliseconds=one)
)
maybe = st.none() | instants
links = st.lists(st.one_of(texts, st.just("example.org/a?b=c#d")).map("https://".__add__), max_size=3).map(tuple)
cves = st.sampled_from(["", *(f"CVE-{year}-{number}" for year in (1999, 2026) for number in ("0001", "123456"))])
cwes = st.sampled_from(["", "CWE-79", "CWE-787", "CWE-1", "CWE-16", "CWE-99999"])
vectors = st.sampled_from([
    "",
    "AV:N/AC:L/Au:N/C:P/I:P/A:P",
    "AV:N/AC:L/Au:N/C:P/I:P/A:P/E:POC/RL:OF/RC:C/CDP:LM/TD:L/CR:H/IR:ND/AR:L",
    "CVSS:3.0/AV:N/AC:H/PR:L/UI:R/S:C/C:H/I:L/A:N",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:R/CR:L/MAV:P/MS:C/MC:X",
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
    "CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N/E:U/CR:H/MAV:N/MSA:S/S:P/U:Red",
])  # fmt: skip


def _any_vector(prefix: str, values: dict[str, dict[str, Any]], needed: list[str]) -> st.SearchStrategy[str]:
    """Every metric that is needed, and some of the others, in any order."""
    each = {name: st.sampled_from(list(of_it)) for name, of_it in values.items()}
    base = {name: each[name] for name in needed}
    others = {name: one for name, one in each.items() if name not in needed}
    given = st.fixed_dictionaries(base, optional=others).flatmap(lambda one: st.permutations(list(one.items())))
    return given.map(lambda one: prefix + "/".join(f"{name}:{value}" for name, value in one))


any_vectors = st.one_of(
    _any_vector("", constants2.METRICS_VALUES, constants2.METRICS_MANDATORY),
    _any_vector("CVSS:3.0/", constants3.METRICS_VALUE_NAMES, constants3.METRICS_MANDATORY),
    _any_vector("CVSS:3.1/", constants3.METRICS_VALUE_NAMES, constants3.METRICS_MANDATORY),
    _any_vector("CVSS:4.0/", constants4.METRICS_VALUE_NAMES, constants4.METRICS_MANDATORY),
).filter(lambda vector: cvss.version(vector) != "")  # 4.0 wants its metrics in order


@st.composite
def statements(draw: st.DrawFn) -> note.Statement:
    """Proved in one of the three ways."""
    proof = draw(st.sampled_from(["signed", "mail", "telephone"]))
    made = draw(instants)
    return note.Statement(
        text=draw(texts), made_at=made, proof=proof, proved_at=made if proof == "signed" else draw(instants),
        fingerprint=draw(hexes) if proof == "signed" else "", sha256="0f" * 32,
    )  # fmt: skip


@st.composite
def vulnerabilities(draw: st.DrawFn, number: int) -> note.Vulnerability:
    """One, with an ID of any source or none."""
    cve = draw(cves)
    source = draw(st.sampled_from(["vendor", "reserved", "typed in"])) if cve else ""
    return note.Vulnerability(
        number=number, title=draw(texts), cve=cve, cve_source=source,
        assigner=draw(named) if source == "vendor" else "", cwe=draw(cwes), cvss=draw(vectors), text=draw(texts),
    )  # fmt: skip


@st.composite
def vendors(draw: st.DrawFn, key: int, numbers: tuple[int, ...]) -> note.Vendor:
    """One, in any progress, with any statuses; its status over all is the strongest, as everywhere."""
    said = st.sampled_from(["Affected", "Not Affected", "Unknown"])
    versions = st.one_of(texts, st.sampled_from(["2.4", "2.4 and later", "<3", "all versions"]))
    statuses = tuple(note.Status(one, draw(said), draw(versions)) for one in numbers)
    return note.Vendor(
        id=key, name=draw(named), progress=draw(st.sampled_from(lifecycle.states(lifecycle.PROGRESS))),
        status=min((one.status for one in statuses), default="Unknown"), statuses=statuses,
        notified_at=draw(maybe), updated_at=draw(maybe), statement=draw(st.none() | statements()),
        addendum=draw(texts), links=draw(links),
    )  # fmt: skip


@st.composite
def notes(draw: st.DrawFn) -> note.Note:
    """Any note: with no vulnerability and no vendor, or with some of each."""
    numbers = tuple(range(1, draw(st.integers(0, 3)) + 1))
    keys = draw(st.lists(st.integers(1, 10**6), max_size=4, unique=True))
    named_vendors = [draw(vendors(key, numbers)) for key in keys]
    return note.Note(
        vu=draw(st.integers(100, 9_999_999)),
        sections=note.Sections(draw(named), *(draw(texts) for _ in range(5)), references=draw(links)),
        vulnerabilities=tuple(draw(vulnerabilities(one)) for one in numbers),
        vendors=tuple(sorted(named_vendors, key=lambda one: one.name.casefold())),
        public_at=draw(maybe),
    )  # fmt: skip


@st.composite
def editions(draw: st.DrawFn) -> note.Edition:
    """Any note in its first to third revision, whose dates go up."""
    days = sorted(draw(st.lists(instants, min_size=1, max_size=3, unique=True)))
    history = tuple(note.Revised(number, at, draw(texts)) for number, at in enumerate(days, 1))
    return note.Edition(draw(notes()), history)
