"""The site and the release of a decided revision: built from the database, once, and gone on with after a death."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import feedparser
import pytest

from mailrouter import faults
from mailrouter.flow import publishing
from mailrouter.flow.publishing import health, release, site
from mailrouter.flow.telling import tell
from mailrouter.flow.timing import watch
from mailrouter.press import folder
from mailrouter.store import cases, notes, tables
from mailrouter.store.notes import Revision
from tests.case.notes import NOTE
from tests.flow.prepared import Shelf
from tests.flow.test_notegate import ben, ready
from tests.flow.world import PSIRT, VENDOR, VU, World

__all__ = ["ben", "ready"]  # fixtures

CVE = "CVE-2026-12345"
ROOT = Path(__file__).parents[2]
POINTS = ("press-while-building", "press-before-link", "press-after-link", "publish-before-release")


def decided(world: World, vu: int = VU, why: str = "First published", cve: str = CVE, **changes: object) -> Revision:
    """One more revision of the case's note whose publication is decided now."""
    with world.writing() as tx:
        case = cases.by_vu(tx, vu)
        flaws = tuple(replace(one, cve=cve) for one in NOTE.vulnerabilities)
        note = replace(NOTE, vu=vu, sections=replace(NOTE.sections, **changes), vulnerabilities=flaws)
        made = notes.make(tx, case.id, note, "", world.clock(), by="alice", written_by="alice", why=why)
        notes.decide(tx, made.id, "alice", world.clock())
        return notes.get(tx, made.id)


def published(world: World, vu: int = VU, **changes: object) -> Path:
    """The same, and readers have it; the site's link."""
    publishing.finish(world.tools, [decided(world, vu, **changes)])
    return world.tools.settings.press.folder


def files(link: Path) -> dict[str, bytes]:
    return {str(one.relative_to(link)): one.read_bytes() for one in link.rglob("*") if one.is_file()}


@pytest.fixture
def cased(world: World, shelf: Shelf) -> World:
    return shelf.prepared(world, World.vendor_case)


def test_a_decided_revision_is_pressed_and_released(cased):
    link = published(cased)
    page = (link / f"vuls/id/{VU}/index.html").read_text()
    assert "A flaw in many parsers" in page
    with cased.look() as tx:
        case = cases.by_vu(tx, VU)
        assert notes.not_released(tx) == []
    assert (case.state, case.embargo, case.public_at) == ("published", "EXITED", cased.clock())
    assert cased.participant(VENDOR).aware_at is not None
    assert [entry.data["revision"] for entry in cased.journal() if entry.kind == "note.released"] == [1]
    assert cased.breaks() == []


def test_a_second_revision_takes_the_first_ones_place(cased):
    published(cased)
    cased.day(3)
    link = published(cased, overview="Now we know more.", why="More is known")
    told = (link / f"vuls/id/{VU}/note.txt").read_text()
    assert "Now we know more." in told
    assert "Document Revision: 2" in told
    assert json.loads((link / f"vuls/api/{VU}/index.json").read_text())["revision"] == 2
    assert site.newest(cased.tools).notes == {VU: 2}


def test_released_once_however_often_it_is_asked_for(cased):
    revision = decided(cased)
    site.press(cased.tools)
    assert [release.release(cased.tools, revision.id) for _ in range(2)] == [True, False]
    assert len([entry for entry in cased.journal() if entry.kind == "note.released"]) == 1


def test_what_did_not_change_keeps_its_signature(cased):
    published(cased)
    cased.case(vu=200200, notify=False)
    first = files(cased.tools.settings.press.folder)
    revision = decided(cased, 200200, cve="")
    cased.day(1)
    pressed = site.press(cased.tools)
    second = files(cased.tools.settings.press.folder)
    changed = {name for name in first if second[name] != first[name]}
    assert changed == {
        name
        for one in ("index.html", "vuls/index.html", "vuls/atom.xml", "build.json")
        for name in (one, f"{one}.asc")
        if name in first
    }
    assert pressed.built.notes == {VU: 1, revision.note.vu: 1}
    again = site.press(cased.tools)
    assert (again.signed, again.kept) == (0, again.files)


def test_without_a_note_the_daemon_builds_no_site(cased):
    assert not publishing.catch_up(cased.tools)
    assert not cased.tools.settings.press.folder.exists()
    assert site.press(cased.tools).built.notes == {}, "but whoever orders one has it"


def test_doctor_sees_a_site_that_is_behind(cased):
    looked = lambda: dict(health.look(cased.tools, cased.clock()))  # noqa: E731 - said three times
    assert looked() == {"warning": health.NO_ADDRESS, "good": "nothing is published"}
    cased.with_identity(notes_url="https://notes.example")
    decided(cased)
    assert "note press" in looked()["bad"]
    publishing.catch_up(cased.tools)
    assert looked() == {"good": "1 notes, built 2026-03-02 09:00 UTC"}


def test_the_operator_hears_of_a_note_that_does_not_get_out(cased):
    decided(cased)
    assert watch.troubles(cased.tools, cased.clock()) == []
    cased.clock.forward(minutes=11)
    assert [one.name for one in watch.troubles(cased.tools, cased.clock())] == ["a note is not published"]
    publishing.catch_up(cased.tools)
    assert watch.troubles(cased.tools, cased.clock()) == []


def test_everybody_is_told_once_readers_have_it(cased):
    """One letter about the note, none about the end of the embargo, and only after the site is there."""
    revision = decided(cased)
    site.press(cased.tools)
    assert cased.letters("published") == []
    release.release(cased.tools, revision.id)
    assert [letter.recipient for letter in cased.letters("published", "embargo-ended")] == [PSIRT]
    assert cased.letters("published")[0].name == "published"
    cased.deliver()
    assert {letter.state for letter in cased.letters("published")} == {"sent"}


def test_the_daemon_goes_on_with_what_was_decided(cased):
    decided(cased)
    assert publishing.catch_up(cased.tools)
    assert not publishing.catch_up(cased.tools)
    with cased.look() as tx:
        assert cases.by_vu(tx, VU).state == "published"


def test_another_node_builds_its_own_site(cased, tmp_path):
    published(cased)
    other = cased.node("n2")
    settings = replace(other.settings, press=replace(other.settings.press, folder=tmp_path / "n2" / "site"))
    other = replace(other, settings=settings)
    assert site.behind(other, cased.clock()) == "there is no site yet"
    assert publishing.catch_up(other)
    mine, theirs = files(cased.tools.settings.press.folder), files(tmp_path / "n2" / "site")
    assert {name for name in mine if not name.endswith((".asc", ".json", ".txt"))} <= set(theirs)
    assert all(mine[name] == theirs[name] for name in mine if name.endswith((".html", "index.json", "note.txt")))


def test_the_operator_hears_of_each_node_whose_site_is_behind(cased, tmp_path):
    """What the one has released, the other cannot build."""
    place = tmp_path / "n2" / "site"
    place.mkdir(parents=True)
    other = cased.node("n2")
    other = replace(other, settings=replace(other.settings, press=replace(other.settings.press, folder=place)))
    here, there = health.Watch(), health.Watch()
    published(cased)
    for minutes in (0, 10):
        cased.clock.forward(minutes=minutes)
        assert here.troubles(cased.tools, cased.clock()) == there.troubles(other, cased.clock()) == []
    cased.clock.forward(minutes=1)
    assert here.troubles(cased.tools, cased.clock()) == []
    seen = there.troubles(other, cased.clock())
    for _ in range(2):
        tell.alarms(other, cased.clock(), seen)
    [told] = [one.item.why for one in cased.queue("operator")]
    assert told.startswith("the site of n2 is behind: press.folder")
    assert "since 2026-03-02 09:00 UTC" in told
    place.rmdir()
    publishing.catch_up(other)
    assert there.troubles(other, cased.clock()) == []


@pytest.mark.parametrize("decides", [0, 1], ids=["none of it", "an older revision"])
def test_an_older_database_does_not_replace_a_newer_site_by_itself(cased, decides):
    """After a restore: a person says that the site before is not to be had any more."""
    link = published(cased)
    published(cased, overview="New")
    with cased.writing() as tx:
        late = tables.revisions.c.number > decides
        tx.execute(tables.revisions.update().where(late).values(decided_at=None, decided_by="", released_at=None))
    before = files(link)
    assert not publishing.catch_up(cased.tools)
    with pytest.raises(faults.Illegal, match=f"VU#{VU} that this database has not decided.*note press"):
        publishing.publish(cased.tools, cased.alice, VU, overrides={})
    assert files(link) == before
    assert "has not decided" in dict(health.look(cased.tools, cased.clock()))["bad"]
    watching = health.Watch()
    assert watching.troubles(cased.tools, cased.clock()) == []
    later = cased.clock() + timedelta(minutes=11)
    assert [one.name for one in watching.troubles(cased.tools, later)] == ["the site of n1 is behind"]
    publishing.press_again(cased.tools, cased.alice)
    assert site.newest(cased.tools).notes == ({VU: decides} if decides else {})
    assert site.behind(cased.tools, cased.clock()) == ""


def test_security_txt_is_renewed_before_it_ends(cased):
    published(cased)
    assert site.behind(cased.tools, cased.clock()) == ""
    first = site.newest(cased.tools).expires
    cased.clock.to(first - timedelta(days=59))
    assert "security.txt" in site.behind(cased.tools, cased.clock())
    assert publishing.catch_up(cased.tools)
    assert timedelta(days=300) < site.newest(cased.tools).expires - cased.clock() < timedelta(days=365)


def test_what_we_are_called_stands_on_every_page(cased):
    link = published(cased)
    cased.with_identity(name="Renamed CERT")
    assert "have changed" in site.behind(cased.tools, cased.clock())
    publishing.catch_up(cased.tools)
    assert "Renamed CERT" in (link / f"vuls/id/{VU}/index.html").read_text()


def test_a_build_that_is_told_to_end_changes_nothing(cased):
    link = published(cased)
    before = files(link)
    decided(cased, overview="New")
    with pytest.raises(site.Stopped):
        publishing.catch_up(cased.tools, over=lambda: True)
    assert files(link) == before
    assert publishing.catch_up(cased.tools)


def test_a_place_that_is_taken_releases_nothing(cased):
    cased.tools.settings.press.folder.mkdir()
    revision = decided(cased)
    with pytest.raises(faults.Refused, match=r"press\.folder"):
        publishing.finish(cased.tools, [revision])
    with cased.look() as tx:
        assert notes.not_released(tx) == [revision]


def test_two_notes_may_share_a_cve_id(cased):
    published(cased)
    cased.case(vu=200200, notify=False)
    link = published(cased, 200200)
    assert (link / f"vuls/cve/{CVE}.json").exists()


# ---- by stock programs -----------------------------------------------------------------------------------------------


@pytest.fixture
def stock(cased: World, tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """The site, and gpg in a home that holds our published key and nothing else."""
    link, home = published(cased), tmp_path / "h"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--trust-model", "always"]
    subprocess.run([*gpg, "--import", link / "key.asc"], check=True, capture_output=True, timeout=60)
    yield link, gpg
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True, timeout=60)


def test_every_file_is_verified_by_plain_gpg_and_read_by_stock_programs(stock):
    link, gpg = stock
    names = {name for name in files(link) if not name.endswith(".asc")} - {
        "style.css",
        "key.asc",
        "build.json",
        folder.MARK,
    }
    around = {f"vuls/id/{VU}/note.txt", ".well-known/security.txt"}
    for name in names - around:
        subprocess.run([*gpg, "--verify", link / f"{name}.asc", link / name], check=True, capture_output=True)
    for name in (f"vuls/id/{VU}/note.txt.asc", ".well-known/security.txt"):
        subprocess.run([*gpg, "--verify", link / name], check=True, capture_output=True)
    opened = subprocess.run([*gpg, "--decrypt", link / f"vuls/id/{VU}/note.txt.asc"], check=True, capture_output=True)
    assert opened.stdout == (link / f"vuls/id/{VU}/note.txt").read_bytes()
    told = (link / ".well-known/security.txt").read_text()
    assert told.startswith("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nContact: mailto:cert@cert.example\n")
    feed = feedparser.parse((link / "vuls/atom.xml").read_bytes())
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == [f"VU#{VU}: A flaw in many parsers"]
    _every_link_leads_to_a_file(link.resolve())


def _every_link_leads_to_a_file(link: Path) -> None:
    wanted = {
        (page.parent / href).resolve()
        for page in link.rglob("*.html")
        for href in re.findall(r'href="([^"#]+)', page.read_text())
        if not href.startswith(("https:", "mailto:"))
    }
    assert len(wanted) > 15
    assert [one for one in wanted if not one.is_file() or not one.is_relative_to(link)] == []


# ---- killed ----------------------------------------------------------------------------------------------------------


def killed_at(point: str, world: World, does: str) -> subprocess.CompletedProcess[bytes]:
    """A process that `does` something with the world's tools, and dies there."""
    given = world.tools.settings
    environ = os.environ | {
        "PYTHONPATH": str(ROOT), "MAILROUTER_FAILPOINT": point, "MAILROUTER_DATA_DIR": str(given.data_dir),
        "MAILROUTER_DATABASE__URL": given.database.url,
        "MAILROUTER_IDENTITY__GNUPG_HOME": str(given.identity.gnupg_home),
        "MAILROUTER_IDENTITY__ADDRESS": given.identity.address, "MAILROUTER_IDENTITY__NAME": given.identity.name,
    }  # fmt: skip
    code = (
        "import os; from mailrouter import settings, tools; from mailrouter.flow import publishing\n"
        "from mailrouter.flow.actor import Actor; from mailrouter.store.inbox import Holder\n"
        f"world = tools.make(settings.load(None, os.environ), Holder('n1', 'x'))\n{does}"
    )
    return subprocess.run([sys.executable, "-c", code], env=environ, timeout=120, capture_output=True)


@pytest.mark.row("R03")
@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_it_is_gone_on_with(cased, point):
    """Readers have the old site or the new one; nobody is told before, nothing is done twice after."""
    link = published(cased)
    before = files(link)
    decided(cased, overview="New")
    died = killed_at(point, cased, "publishing.catch_up(world)")
    assert died.returncode == 137, died.stderr
    new = point in ("press-after-link", "publish-before-release")
    assert (files(link) == before) == (not new)
    with cased.look() as tx:
        assert len(notes.not_released(tx)) == 1
    assert publishing.catch_up(cased.tools)
    assert site.newest(cased.tools).notes == {VU: 2}
    assert [entry.data["revision"] for entry in cased.journal() if entry.kind == "note.released"] == [1, 2]
    assert folder.current(link) == link.resolve()
    assert cased.breaks() == []


@pytest.mark.row("R03")
def test_killed_after_the_decision_the_command_again_goes_on(ready):
    """It decides nothing twice; and who is hidden stands nowhere in what readers are given."""
    alice = f"Actor('alice', {ready.alice.analyst_id})"
    died = killed_at("publish-after-decide", ready, f"publishing.publish(world, {alice}, {VU}, overrides={{}})")
    assert died.returncode == 137, died.stderr
    link = ready.tools.settings.press.folder
    assert not link.exists()
    done = publishing.publish(ready.tools, ready.alice, VU, overrides={})
    assert (done.number, done.released_at) == (1, ready.clock())
    assert [kind for kind in kinds(ready) if kind in ("note.decided", "note.released")] == [
        "note.decided",
        "note.released",
    ]
    assert not [name for name, content in files(link).items() if b"Zeta" in content]
    assert ready.letters("published")
    with pytest.raises(faults.Illegal, match="is published"):
        publishing.publish(ready.tools, ready.alice, VU, overrides={})


def kinds(world: World) -> list[str]:
    return [entry.kind for entry in world.journal()]
