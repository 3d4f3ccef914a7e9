"""The pages in a real browser: nothing to scroll sideways, no script needed, WCAG 2.2 AA, statements verbatim."""

import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from mailrouter.case.note import Edition, Statement
from mailrouter.press import site
from tests.case.notes import HOSTILE
from tests.press import notes
from tests.servers.wait import program

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {"desk": 1280, "telephone": 360}
SAID = [
    " and ".join(HOSTILE),
    "\n\n  leading lines and blanks\n\ttab\r\nCRLF\rCR  \n",
    "</pre></blockquote><script>document.title = 'owned'</script><img src=x onerror=alert(1)>",
    "- a list\n# a heading\n[link](https://evil.example)\n```\ncode\n```\n> quote\n***\n&lt;&amp;amp;",
    "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c 漢字 \U0001f4a9",
    "x" * 400,
]


def hostile() -> Edition:
    """Every character that HTML and Markdown care about, in every place that others fill."""
    vendors = tuple(
        replace(
            notes.VENDORS[0], id=500 + number, name=f"Vendor {number} <b>&amp; {'W' * 60}",
            statement=Statement(text, notes.at("2026-03-01"), "mail", notes.at("2026-03-01"), "", "0f" * 32),
            addendum=text, links=(f"https://vendor.example/{'long' * 50}", "javascript:alert(1)"),
            statuses=(replace(notes.VENDORS[0].statuses[0], fixed_in=text), notes.VENDORS[0].statuses[1]),
        )
        for number, text in enumerate(SAID)
    )  # fmt: skip
    words = replace(
        notes.SECTIONS, title="A <title> & \"quotes\" " + "W" * 80, overview=SAID[2], description=SAID[3],
        solution="|a|b|\n|-|-|\n|1|2|\n\n" + "y" * 300, references=("https://x.example/" + "z" * 300,),
    )  # fmt: skip
    return replace(notes.FIVE, note=replace(notes.FIVE.note, vu=666666, sections=words, vendors=vendors))


NO_NOTE = replace(notes.FIVE, note=replace(notes.FIVE.note, vu=555555))  # as its preview has it
EDITIONS = {"five": notes.FIVE, "crowd": notes.crowd(), "hostile": hostile(), "draft": NO_NOTE}
PAGES = {name: f"vuls/id/{one.note.vu}/" for name, one in EDITIONS.items()} | {"index": "vuls/", "front": ""}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Any web server would do."""

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def written(folder: Path) -> Path:
    """The site of these notes, unsigned."""
    files = dict(site.of_all(list(EDITIONS.values()), notes.PUBLISHER, b"", datetime(2027, 1, 1, tzinfo=UTC)))
    for one in EDITIONS.values():
        files |= site.of_edition(one, notes.PUBLISHER, draft="revision 1, draft 2" if one is NO_NOTE else "")
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


@dataclass
class Reader:
    """A browser and the site that it looks at."""

    browser: Browser
    address: str

    def page(self, name: str, width: str = "desk", *, scripts: bool = False, scheme: str = "light") -> Page:
        """One page, open; what the browser complains of is in `complaints`."""
        context = self.browser.new_context(
            viewport={"width": WIDTHS[width], "height": 900}, java_script_enabled=True, bypass_csp=scripts,
            color_scheme=scheme, reduced_motion="reduce",
        )  # fmt: skip
        page = context.new_page()
        self.complaints: list[str] = []
        page.on("console", lambda told: self.complaints.append(told.text))
        page.on("pageerror", lambda told: self.complaints.append(str(told)))
        page.on("requestfailed", lambda told: self.complaints.append(told.url))
        page.goto(self.address + PAGES[name])
        return page


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    chromium = program("chromium", "chromium")
    folder = written(tmp_path_factory.mktemp("site"))
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Reader(browser, f"http://127.0.0.1:{server.server_port}/")
        browser.close()
        server.shutdown()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_stands_outside(reader, name, width):
    """No page is wider than the window, and nothing in it is, but for what only screen readers are told."""
    page = reader.page(name, width)
    wide = page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(one => !one.closest('.unseen, .skip'))
        .filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
    assert reader.complaints == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["five", "hostile", "draft", "index", "front"])
def test_wcag(reader, name, scheme):
    page = reader.page(name, "telephone" if scheme == "dark" else "desk", scripts=True, scheme=scheme)
    found = Axe().run(page, options={"runOnly": WCAG}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in found] == []
    page.context.close()


def test_statements_are_verbatim(reader):
    page = reader.page("hostile")
    shown = page.eval_on_selector_all(".statement pre", "all => all.map(one => one.textContent)")
    assert sorted(shown) == sorted(text.replace("\0", "\ufffd") for text in SAID)
    assert page.title() != "owned"
    assert page.eval_on_selector_all("script, img, iframe, object, embed, form, style", "all => all.length") == 0
    assert page.eval_on_selector_all("a[href^='javascript']", "all => all.length") == 0
    page.context.close()


def test_it_is_read_without_scripts_by_keyboard(reader):
    context = reader.browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 900})
    page = context.new_page()
    page.goto(reader.address + PAGES["crowd"])
    assert page.get_by_role("heading", level=1).inner_text() == notes.SECTIONS.title
    assert page.get_by_role("row").count() >= 121
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.get_by_role("link", name="Vendor 117 of Networks").click()
    assert page.get_by_role("heading", name="Vendor 117 of Networks").is_visible()
    context.close()


def test_headings_are_in_order_and_landmarks_there(reader):
    page = reader.page("hostile")
    levels = page.eval_on_selector_all("h1, h2, h3, h4, h5, h6", "all => all.map(one => +one.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [page.get_by_role(role).count() for role in ("banner", "main", "contentinfo")] == [1, 1, 1]
    assert page.locator("html").get_attribute("lang") == "en"
    page.context.close()


def test_on_paper(reader):
    page = reader.page("five")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation", name="Contents").is_visible()
    assert page.locator(".statement").first.is_visible()
    assert len(page.pdf(format="A4")) > 10_000
    page.context.close()


def test_a_draft_says_so_on_screen_and_on_paper(reader):
    page = reader.page("draft")
    assert page.title().startswith("DRAFT: ")
    assert page.locator("meta[name=robots]").get_attribute("content") == "noindex"
    for medium in ("screen", "print"):
        page.emulate_media(media=medium)
        assert page.get_by_text("DRAFT, not published. TLP:AMBER. revision 1, draft 2").is_visible()
    assert page.get_by_text("TLP:CLEAR").count() == 0
    page.goto(reader.address + PAGES["five"])
    assert page.locator("meta[name=robots], .draft").count() == 0
    page.context.close()
