"""The documents keep their word: commands, options and settings they name exist, links lead somewhere, blocks parse."""

import dataclasses
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mailrouter.cli import main
from mailrouter.settings.model import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")
CODE = re.compile(r"`([^`\n]+)`")
PLACEHOLDER = re.compile(r"[A-Z][A-Z_/-]*|…|\[.*|.*\.{3}")
by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def prose(text: str) -> str:
    """Without fenced blocks; lines joined, so that code in a wrapped line is whole."""
    return re.sub(r"\n(?=\S)", " ", FENCE.sub("", text))


BEFORE = r"(?:(?:sudo -u \S+|docker exec -it \S+|[A-Z_]+=\S+) )*(?:\S*/)?"


def commands(text: str) -> Iterator[list[str]]:
    """Every `mailrouter …`, in prose or typed in a block, as words."""
    typed = [line for kind, block in FENCE.findall(text) if kind in ("sh", "console") for line in _lines(kind, block)]
    for one in [*CODE.findall(prose(text)), *typed]:
        for part in re.split(r" \| | && ", one):
            if found := re.fullmatch(rf"{BEFORE}mailrouter(?: (.*))?", part.strip()):
                yield shlex.split(found[1] or "", comments=True)


def _lines(kind: str, block: str) -> list[str]:
    joined = re.sub(r" *\\\n *", " ", block).splitlines()
    return [line.removeprefix("$ ") for line in joined if kind == "sh" or line.startswith("$ ")]


def unknown(words: list[str]) -> str:
    """What of a command does not exist; '' when all of it does."""
    command: click.Command = main
    context = click.Context(main, info_name="mailrouter")
    for word in words:
        if word.startswith("--"):
            options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
            if word.partition("=")[0] not in options:
                return word
        elif isinstance(command, click.Group) and not PLACEHOLDER.fullmatch(word):
            found = command.get_command(context, word)
            if found is None:
                return word
            command = found
    return ""


@by_name
def test_every_command_named_exists(document):
    text = document.read_text("utf-8")
    assert [(" ".join(words), unknown(words)) for words in commands(text) if unknown(words)] == []


def test_commands_are_found_in_prose_and_blocks():
    text = "Type `mailrouter case\nopen 'A b'` or\n\n```sh\nx | mailrouter vendor list --json\n```\n"
    assert list(commands(text)) == [["case", "open", "A b"], ["vendor", "list", "--json"]]
    assert unknown(["case", "opne"]) == "opne"
    assert unknown(["case", "open", "A b", "--form", "12"]) == "--form"
    assert unknown(["case", "show", "VU", "--json"]) == ""


def settings() -> set[str]:
    """Every setting, as `section.name`, and each at the top level."""
    found = set()
    for one in dataclasses.fields(Settings):
        inner = one.type if dataclasses.is_dataclass(one.type) else None
        found |= {f"{one.name}.{sub.name}" for sub in dataclasses.fields(inner)} if inner else {one.name}
    return found | {f"{name}_file" for name in ("database.url", "relay.url")}


SECTIONS = "database|identity|smtp|lmtp|relay|policy|trust|press|cve|web|worker|log"


@by_name
def test_every_setting_named_exists(document):
    text = document.read_text("utf-8")
    named = set(re.findall(rf"`((?:{SECTIONS})\.[a-z_]+)`", prose(text)))
    environment = {
        ".".join(part.lower() for part in name.split("__")) for name in re.findall(r"\bMAILROUTER_([A-Z_]+)", text)
    } - {"config", "failpoint", "", "section.key"}
    assert sorted((named | environment) - settings() - OTHERS) == []


OTHERS = {"worker.replaced", "cve.py"}  # names with a dot that are no settings


def test_settings_are_known_here():
    assert {"data_dir", "identity.address", "smtp.listen", "policy.follow_up_days"} <= settings()


@by_name
def test_links_lead_somewhere(document):
    text = document.read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target.read_text("utf-8")), link


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"(?m)^#+ (.*)$", FENCE.sub("", text))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@by_name
def test_toml_blocks_are_settings(document, tmp_path):
    """As a file, every block starts the program (or says so in words); the secrets it names lie elsewhere here."""
    secret = tmp_path / "secret"
    secret.write_text("secret\n", "ascii")
    for kind, block in FENCE.findall(document.read_text("utf-8")):
        if kind == "toml":
            tomllib.loads(block)
            file = tmp_path / "mailrouter.toml"
            file.write_text(re.sub(r'(?m)^(\w+_file = )".*"$', rf'\1"{secret}"', block), "utf-8")
            command = [sys.executable, "-m", "mailrouter", "--config", file, "letter", "list"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr


@by_name
def test_shell_blocks_parse(document):
    for kind, block in FENCE.findall(document.read_text("utf-8")):
        if kind == "sh":
            assert subprocess.run(["sh", "-n"], input=block, text=True, capture_output=True, timeout=30).returncode == 0


@by_name
def test_no_path_of_one_machine(document):
    assert re.findall(r"/(?:work|root|home|Users)/\w+", document.read_text("utf-8")) == []


@pytest.mark.parametrize("room", ["case", "flow", "mail"])
def test_the_house_is_drawn_as_it_is(room):
    """Every module of these rooms stands in the picture, once at least."""
    picture = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## Floors")[0]
    modules = [path.stem for path in (ROOT / "mailrouter" / room).rglob("*.py") if path.stem != "__init__"]
    assert [name for name in modules if not re.search(rf"\b{name}\b", picture)] == []


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 55


def test_every_make_target_named_exists():
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8")))
    target = re.compile(r"\bmake ([a-z]+)\b(?=[`\s]*(?:#|`))")
    named = {one for path in DOCUMENTS for one in target.findall(path.read_text("utf-8"))}
    assert named
    assert named <= targets
