"""`mailrouter vendor`: all or nothing, and every refusal in one line."""

from pathlib import Path

import pytest

from mailrouter.store import contacts, journal
from tests.cli.console import Console
from tests.flow.world import World
from tests.pgp.keys import Keymaker

CHANGES = "--name, --cna, --no-cna, --domain, --remove-domain, --deliverable or --phone"


@pytest.fixture
def key_file(world: World, tmp_path: Path) -> Path:
    path = tmp_path / "vendor.asc"
    path.write_bytes(world.keymaker.armored(world.keymaker.vendor.fingerprint))
    return path


def add(console: Console, *more: str) -> None:
    console.run("vendor", "add", "ACME Inc.", "--email", "PSIRT@Acme.example", *more)


def test_added_with_everything(console: Console, key_file: Path) -> None:
    add(console, "--email", "sec@acme.example", "--domain", "ACME.example", "--key", str(key_file), "--cna")
    shown = console.json("vendor", "show", "acme  inc.")
    key = shown.pop("keys")[0]
    assert shown == {
        "name": "ACME Inc.", "kind": "organisation", "cna": True, "telephone": None, "domains": ["acme.example"],
        "cases": [], "candidates": [],
        "contacts": [
            {"address": "psirt@acme.example", "undeliverable": False},
            {"address": "sec@acme.example", "undeliverable": False},
        ],
    }  # fmt: skip
    assert key["fingerprint"] == console.world.keymaker.vendor.fingerprint
    assert (key["can_encrypt"], key["expires_at"], key["retired_at"]) == (True, None, None)
    assert key["user_id"] == "Vendor PSIRT <psirt@vendor.example>"


def test_list_is_what_show_is(console: Console, key_file: Path) -> None:
    add(console, "--key", str(key_file))
    console.run("vendor", "add", "Beta", "--email", "b@beta.example")
    one = console.json("vendor", "show", "ACME Inc.")
    del one["cases"], one["candidates"]
    assert console.json("vendor", "list")[0] == one
    table = console.out("vendor", "list")
    assert "ACME Inc." in table
    assert "Beta" in table
    assert max(map(len, table.splitlines())) <= 100


def test_people_who_report_are_shown_but_not_listed(console: Console) -> None:
    console.world.feed(console.world.mail("Rita <rita@home.example>", "a flaw"))
    console.run("case", "open", "A flaw", "--from", "1")
    assert console.json("vendor", "list") == []
    assert console.json("vendor", "show", "rita@home.example")["kind"] == "person"


NOTHING = "no organisation is named 'Nobody'; `mailrouter vendor list` shows those there are"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("add", "Beta"), 2, "Missing option '--email'"),
        (("add", "Beta", "--email", "beta.example"), 2, "'beta.example' is not one mail address"),
        (("add", "Beta", "--email", "b@beta.example, c@beta.example"), 2, "is not one mail address"),
        (("add", "Beta", "--email", "B <b@beta.example>"), 2, "is not one mail address"),
        (("add", "Beta", "--email", "b@beta.example\nBcc: x@y.example"), 2, "is not one mail address"),
        (("add", "Beta", "--email", f"{'b' * 65}@beta.example"), 2, "is mail address too long"),
        (("add", "Beta", "--email", "b@beta.example", "--domain", "example"), 2, "'example' is not a mail domain"),
        (("add", "Beta", "--email", "b@beta.example", "--domain", "[192.0.2.1]"), 2, "is not a mail domain"),
        (("add", "Be\x1b[2Jta", "--email", "b@beta.example"), 2, "one line of text is wanted"),
        (("add", " ", "--email", "b@beta.example"), 2, "one line of text is wanted"),
        (("add", "acme inc.", "--email", "b@beta.example"), 2, "an organisation named 'acme inc.' exists already"),
        (("add", "Beta", "--email", "psirt@acme.example"), 2, "psirt@acme.example is already a contact of ACME Inc."),
        (("add", "Beta", "--email", "b@beta.example", "--key", "/nowhere"), 2, "/nowhere: cannot be read (No such"),
        (("add", "Beta", "--email", "b@beta.example", "--key", "/"), 2, "/: cannot be read (Is a directory)"),
        (("show", "Nobody"), 1, NOTHING),
        (("set", "Nobody", "--cna"), 1, NOTHING),
        (("set", "ACME Inc."), 2, f"say what to change: {CHANGES}"),
        (("set", "ACME Inc.", "--remove-domain", "x.example"), 1, "x.example is not a mail domain of ACME Inc."),
        (("add-contact", "Nobody", "n@nobody.example"), 1, NOTHING),
        (("add-contact", "ACME Inc.", "nobody"), 2, "'nobody' is not one mail address"),
        (("remove-contact", "ACME Inc.", "psirt@acme.example"), 2, "an organisation needs one contact"),
        (("remove-contact", "ACME Inc.", "x@acme.example"), 1, "x@acme.example is not a contact of ACME Inc."),
        (("add-key", "ACME Inc."), 2, "give the key's FILE, or --candidate FINGERPRINT"),
        (("retire-key", "ACME Inc.", "1234", "--why", "x"), 2, "a key is named by its fingerprint, 40 hexa"),
        (("retire-key", "ACME Inc.", "A" * 40, "--why", "x"), 1, "no key in use of ACME Inc. has that fingerprint"),
    ],
)  # fmt: skip
def test_refused_in_one_line(console: Console, arguments: tuple[str, ...], status: int, said: str) -> None:
    add(console)
    before = console.json("vendor", "list")
    assert said in console.refused("vendor", *arguments, status=status)
    assert console.json("vendor", "list") == before


@pytest.mark.parametrize("kind", ["secret", "none", "two", "expired", "garbage", "empty"])
def test_a_key_that_cannot_be_taken_leaves_nothing_behind(
    console: Console, keymaker: Keymaker, key_file: Path, tmp_path: Path, kind: str
) -> None:
    content = {
        "secret": lambda: keymaker.secret(keymaker.vendor.fingerprint),
        "none": lambda: b"this is not a key\n",
        "two": lambda: keymaker.armored(keymaker.vendor.fingerprint, keymaker.eve.fingerprint),
        "expired": lambda: keymaker.armored(keymaker.expired.fingerprint),
        "garbage": lambda: key_file.read_bytes()[:200],
        "empty": lambda: b"",
    }[kind]()
    bad = tmp_path / "bad.asc"
    bad.write_bytes(content)
    said = console.refused(
        "vendor", "add", "Beta", "--email", "b@beta.example", "--key", str(key_file), "--key", str(bad), status=2
    )
    assert said.startswith(f"{bad}: ")
    assert console.json("vendor", "list") == []


def test_a_key_is_one_organisations(console: Console, key_file: Path) -> None:
    add(console, "--key", str(key_file))
    said = console.refused("vendor", "add", "Beta", "--email", "b@beta.example", "--key", str(key_file), status=2)
    assert said == "this key is already pinned to ACME Inc."
    assert [v["name"] for v in console.json("vendor", "list")] == ["ACME Inc."]


def test_a_key_is_retired_and_given_again(console: Console, key_file: Path) -> None:
    add(console, "--key", str(key_file))
    fingerprint = console.world.keymaker.vendor.fingerprint
    spaced = " ".join(fingerprint[i : i + 4] for i in range(0, 40, 4)).lower()
    console.run("vendor", "retire-key", "ACME Inc.", spaced, "--why", "replaced")
    assert console.json("vendor", "show", "ACME Inc.")["keys"][0]["retired_at"] == "2026-03-02T09:00:00Z"
    assert "retired 2026-03-02" in console.out("vendor", "show", "ACME Inc.")
    console.refused("vendor", "retire-key", "ACME Inc.", fingerprint, "--why", "again", status=1)
    console.run("vendor", "add-key", "ACME Inc.", str(key_file))
    keys = console.json("vendor", "show", "ACME Inc.")["keys"]
    assert [(k["fingerprint"], k["retired_at"]) for k in keys] == [(fingerprint, None)]


def test_pinned_under_every_name_a_signature_may_give(console: Console, keymaker: Keymaker, tmp_path: Path) -> None:
    owner, subkey = keymaker.subkeyed
    path = tmp_path / "sub.asc"
    path.write_bytes(keymaker.armored(owner.fingerprint))
    add(console, "--key", str(path))
    with console.world.look() as tx:
        for name in (owner.fingerprint, subkey, owner.fingerprint[-16:], subkey[-16:]):
            assert [k.fingerprint for k in contacts.keys_named(tx, name)] == [owner.fingerprint]


@pytest.fixture(scope="session")
def hostile_key(keymaker: Keymaker) -> bytes:
    """Its user id would set a terminal's title and turn its text around."""
    return keymaker.armored(keymaker.make("Vendor \x1b]0;pwned\x07\u202eevil", "esc@vendor.example").fingerprint)


@pytest.mark.row("P15")
@pytest.mark.row("C15")
def test_a_hostile_user_id_is_shown_and_nothing_obeys_it(console: Console, hostile_key: bytes, tmp_path: Path) -> None:
    path = tmp_path / "esc.asc"
    path.write_bytes(hostile_key)
    add(console, "--key", str(path))
    for shown in (console.out("vendor", "show", "ACME Inc."), console.out("vendor", "show", "ACME Inc.", "--json")):
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_contacts_and_domains_change(console: Console) -> None:
    add(console, "--domain", "acme.example")
    console.run("vendor", "add-contact", "ACME Inc.", "new@acme.example", "more@acme.example")
    console.run("vendor", "remove-contact", "ACME Inc.", "PSIRT@acme.example")
    console.run(
        "vendor",
        "set",
        "ACME Inc.",
        "--name",
        "ACME Group",
        "--cna",
        "--domain",
        "acme.net",
        "--remove-domain",
        "acme.example",
    )
    shown = console.json("vendor", "show", "ACME Group")
    assert [c["address"] for c in shown["contacts"]] == ["new@acme.example", "more@acme.example"]
    assert (shown["domains"], shown["cna"]) == (["acme.net"], True)


def test_an_international_domain_is_stored_as_it_comes_over_the_wire(console: Console) -> None:
    console.run("vendor", "add", "Bücher", "--email", "psirt@bücher.example", "--domain", "bücher.example")
    shown = console.json("vendor", "show", "BÜCHER")
    assert shown["contacts"][0]["address"] == "psirt@xn--bcher-kva.example"
    assert shown["domains"] == ["xn--bcher-kva.example"]


def test_journaled_under_who_did_it(console: Console, key_file: Path) -> None:
    add(console, "--key", str(key_file))
    console.as_login("bob").run("vendor", "add-contact", "ACME Inc.", "new@acme.example")
    with console.world.look() as tx:
        told = [(e.actor, e.kind) for e in journal.entries(tx, journal.node_chain("n1"))]
    assert told == [("alice", "vendor.added"), ("unix:bob", "vendor.contacts-added")]
    assert console.world.breaks() == []


def test_the_number_on_file(console: Console) -> None:
    console.run("vendor", "add", "ACME", "--email", "psirt@acme.example", "--phone", "+49 30  1234-56")
    assert console.json("vendor", "show", "ACME")["telephone"] == "+49 30 1234-56"
    console.run("vendor", "set", "ACME", "--phone", "+1 (555) 0100 x12")
    assert "+1 (555) 0100 x12" in console.out("vendor", "show", "ACME")
    assert "written with its country" in console.refused("vendor", "set", "ACME", "--phone", "call Bob", status=2)
