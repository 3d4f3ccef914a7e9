"""Pages of every note there can be: nothing is lost, nothing gets out of its place; Markdown without raw HTML."""

import dataclasses
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.press import markdown, pages, site
from tests.case import notes

VOID = {"meta", "link", "br", "hr"}
ALLOWED = {  # what a page consists of; anything else came from outside
    "a", "article", "bdi", "blockquote", "body", "caption", "code", "dd", "div", "dl", "dt", "em", "figcaption",
    "figure",
    "footer", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "html", "li", "main", "nav", "ol", "p", "pre",
    "section", "span", "strong", "table", "tbody", "td", "th", "thead", "time", "title", "tr", "ul",
} | VOID  # fmt: skip


class Read(HTMLParser):
    """A page taken apart: every tag closed by its own, what stands in `pre`, where links lead."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.statements: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.attributes |= set(found)
        self.links += [found["href"] or ""] if "href" in found and tag == "a" else []
        self.ids += [found["id"] or ""] if "id" in found else []
        if tag not in VOID:
            self.open.append(tag)
        if tag == "pre" and found.get("dir") == "auto":
            self.statements.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-2:] == ["blockquote", "pre"] and self.open[-3] == "figure":
            self.statements[-1] += data


def page_of(edition: notes.note.Edition) -> str:
    files = site.of_edition(edition, notes.OURS)
    return files[f"vuls/id/{edition.note.vu}/index.html"].decode()


@settings(max_examples=60)
@given(notes.editions())
def test_any_note_is_a_page_of_our_own_tags(edition):
    read = Read(page_of(edition))
    assert read.open == []
    assert read.tags <= ALLOWED
    assert not {name for name in read.attributes if name.startswith("on") or name in {"style", "src"}}
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    outside = [link for link in read.links if not link.startswith(("#", "../", "note.txt", "index.html"))]
    assert all(link.startswith(("https://", "http://", "mailto:")) for link in outside)


@settings(max_examples=60)
@given(notes.editions())
def test_statements_stand_there_as_they_were_given(edition):
    said = [one.statement.text.replace("\0", "\ufffd") for one in pages.in_order(edition.note.vendors) if one.statement]
    assert [one.removeprefix("\n") for one in Read(page_of(edition)).statements] == said


@given(notes.texts)
def test_markdown_makes_no_tag_of_what_it_is_given(text):
    read = Read(f"<div>{markdown.html(text)}</div>")
    assert read.tags <= ALLOWED - {"h1", "h2"}
    assert all(markdown.leads_out(link) for link in read.links)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>\n"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>\n"),
        ("[a](//host/x)", "<p>[a](//host/x)</p>\n"),
        ("[a](/x)", "<p>[a](/x)</p>\n"),
        ("[a](https://x.example/)", f'<p><a href="https://x.example/" rel="{markdown.REL}">a</a></p>\n'),
        ("<mailto:a@b.example>", f'<p><a href="mailto:a@b.example" rel="{markdown.REL}">mailto:a@b.example</a></p>\n'),
        (
            "[](https://x.example/)",
            f'<p><a href="https://x.example/" rel="{markdown.REL}">https://x.example/</a></p>\n',
        ),
        ("# One\n\n#### Four", "<h3>One</h3>\n<h3>Four</h3>\n"),
        ("One\n===", "<h3>One</h3>\n"),
        ("- a\n- *b*", "<ul>\n<li>a</li>\n<li><em>b</em></li>\n</ul>\n"),
    ],
)
def test_markdown(text, html):
    assert str(markdown.html(text)) == html


def test_a_picture_is_a_link_at_most():
    assert "<img" not in markdown.html("![alt](https://x.example/a.png)")


def test_no_vendor_and_no_score_leave_no_empty_place():
    bare = Read(page_of(notes.edition(vendors=(), vulnerabilities=())))
    assert "cvss" not in bare.ids
    assert "No vendor is named" in page_of(notes.edition(vendors=()))


def test_an_empty_section_has_no_heading():
    sections = dataclasses.replace(notes.SECTIONS, acknowledgements=" ")
    page = pages.of_note(notes.edition(sections=sections), notes.OURS, "../../../", []).decode()
    assert 'id="solution"' in page
    assert "acknowledgements" not in page.lower()


@given(st.lists(notes.editions(), max_size=3))
def test_the_site_itself(editions):
    files = site.of_all(editions, notes.OURS, b"KEY", notes.NOW)
    for path in ("index.html", "vuls/index.html"):
        read = Read(files[path].decode())
        assert read.open == []
        assert read.tags <= ALLOWED


def test_security_txt_without_a_site_names_no_place_of_its_own():
    assert site.security_txt(notes.NOWHERE, notes.NOW).decode() == (
        "Contact: mailto:cert@cert.example\nExpires: 2026-03-02T09:00:00Z\nPreferred-Languages: en\n"
    )


def test_security_txt():
    said = site.security_txt(notes.OURS, notes.NOW).decode().splitlines()
    assert said == [
        "Contact: mailto:cert@cert.example",
        "Contact: tel:+15550100",
        "Expires: 2026-03-02T09:00:00Z",
        "Encryption: https://notes.cert.example/key.asc",
        "Canonical: https://notes.cert.example/.well-known/security.txt",
        "Policy: https://cert.example/policy",
        "Preferred-Languages: en",
    ]
