"""The pages: an edition becomes HTML that needs no script, no picture and no other host.

Promises: everything from outside is escaped, and a statement's characters reach the reader as the vendor wrote them; a
name that a template does not know is an error of ours, never an empty place.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mailrouter.case import cvss, note
from mailrouter.case.formats import paths, wording
from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.formats.text import DRAFT
from mailrouter.case.note import NO_STATEMENT, Edition, Note, Status, Vendor
from mailrouter.case.status import STATUSES
from mailrouter.faults import Refused
from mailrouter.press import markdown

TEASER = 200  # characters of the overview, for those who list pages
_CONTENTS = (
    ("overview", "Overview"), ("description", "Description"), ("impact", "Impact"), ("solution", "Solution"),
    ("acknowledgements", "Acknowledgements"), ("vendors", "Vendor Information"), ("cvss", "CVSS"),
    ("references", "References"), ("other", "Other Information"), ("machines", "For machines"),
    ("signed", "Signed copies"), ("history", "History"),
)  # fmt: skip


def of_note(edition: Edition, publisher: Publisher, root: str, records: Sequence[str], *, draft: str = "") -> bytes:
    """The page of one note. `root`: the way from it to the site's root; `records`: CVE IDs whose record is a file;
    `draft`: which one it is ("revision 1, draft 3"), on the screen, on paper, and for whoever collects pages; '' : it
    is published.
    """
    one = edition.note
    scores = _scores(one)
    contents = [line for line in _CONTENTS if _there(one, scores).get(line[0], True)]
    return _rendered(
        "note.html", publisher, root,
        edition=edition, records=records, scores=scores,
        vendors=in_order(one.vendors), counted=_counted(one.vendors),
        cves=[(found.cve, found.number) for found in one.vulnerabilities if found.cve],
        contents=contents, headed=[anchor for anchor, _ in contents],
        canonical=f"{publisher.url}/{paths.page(one.vu)}" if publisher.url and not draft else "",
        draft=f"{DRAFT}. {draft}" if draft else "",
    )  # fmt: skip


def _there(one: Note, scores: Sequence[object]) -> Mapping[str, object]:
    """What holds something, of the headings that may hold nothing: an empty one is left out, as in the plain text."""
    said = one.sections
    return {
        "overview": said.overview.strip(), "description": said.description.strip() or one.vulnerabilities,
        "solution": said.solution.strip(), "acknowledgements": said.acknowledgements.strip(),
        "cvss": scores, "references": said.references,
    }  # fmt: skip


def of_index(editions: Sequence[Edition], publisher: Publisher, root: str) -> bytes:
    """The list of all notes, in the order given."""
    return _rendered("index.html", publisher, root, editions=editions)


def of_front(count: int, publisher: Publisher) -> bytes:
    """What stands at the site's root; `count` notes are published."""
    return _rendered("front.html", publisher, "", count=count)


def style() -> bytes:
    """The one style sheet."""
    return _source("style.css")


def sources() -> list[bytes]:
    """Everything that pages are made of."""
    return [_source(name) for name in _environment().list_templates()]


def _source(name: str) -> bytes:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0].encode()


def _rendered(template: str, publisher: Publisher, root: str, **values: Any) -> bytes:
    page = _environment().get_template(template).render(publisher=publisher, root=root, **values)
    return page.encode("utf-8", "replace")  # half of a surrogate pair is no character


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("mailrouter.press"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    made.filters.update(_FILTERS)
    made.tests["leading_out"] = markdown.leads_out
    made.globals |= {"draft": "", "rel": markdown.REL, "impact_unknown": note.IMPACT_UNKNOWN}
    return made


def verbatim(text: str) -> Markup:
    """For within `pre`: what the reader's program would normalise, named instead, so that it comes back.

    HTML has no NUL: a sign says that one was here.
    """
    named = str(escape(text)).replace("\r", "&#13;").replace("\0", "\ufffd")
    return Markup(named)  # noqa: S704 - it is escaped


def in_order(vendors: Iterable[Vendor]) -> list[Vendor]:
    """What is affected first, then what is not, then what nobody knows; each by name."""
    return sorted(vendors, key=lambda one: (STATUSES.index(one.status), one.name.casefold(), one.id))


def _counted(vendors: Sequence[Vendor]) -> list[tuple[str, int]]:
    counts = [(status, sum(one.status == status for one in vendors)) for status in STATUSES]
    return [(status, count) for status, count in counts if count]


def _alike(statuses: Iterable[Status]) -> list[tuple[list[Status], Status]]:
    """Those of the same words together, so that these are said once: each group, and the first of it."""
    groups: dict[tuple[str, str], list[Status]] = {}
    for one in statuses:
        groups.setdefault((one.status, one.fixed_in), []).append(one)
    return [(group, group[0]) for group in groups.values()]


def _silence(vendor: Vendor) -> str:
    """What stands in the place of a statement: the sentence, and what happened, as another."""
    happened = wording.happened(vendor)
    return f"{NO_STATEMENT} {happened[:1].upper()}{happened[1:]}."


def _named(number: int, of: Note) -> str:
    """A vulnerability as it is called."""
    found = [wording.label(of.vu, one) for one in of.vulnerabilities if one.number == number]
    return found[0] if found else f"{wording.case(of.vu)}.{number}"


def _cves(of: Note) -> list[str]:
    return [one.cve for one in of.vulnerabilities if one.cve]


def _teaser(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEASER else f"{line[: TEASER - 1].rstrip()}…"


def _scores(of: Note) -> list[tuple[int, cvss.Score]]:
    return [(one.number, score) for one in of.vulnerabilities if (score := _score(one.cvss))]


def _score(vector: str) -> cvss.Score | None:
    """None: not scored, or by a vector that the library has learnt to refuse since."""
    try:
        return cvss.read(vector) if vector else None
    except Refused:
        return None


_FILTERS: Mapping[str, Any] = {
    "alike": _alike,
    "case": wording.case,
    "cves": _cves,
    "day": wording.day,
    "instant": wording.stamp,
    "markdown": markdown.html,
    "minute": wording.moment,
    "named": _named,
    "provenance": wording.proved,
    "silence": _silence,
    "spaced": wording.key,
    "teaser": _teaser,
    "tenths": cvss.shown,
    "verbatim": verbatim,
}
