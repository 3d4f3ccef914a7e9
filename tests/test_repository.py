"""The repository keeps its own promises: what is tracked, packed, locked and deployed."""

import ast
import hashlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.servers.wait import program

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
TARGETS = ("demo", "run", "test", "check", "bench", "soak", "fuzz", "rows", "build", "lock", "help")
NOT_OURS = {".git", ".venv", "var", "dist", "build", "__pycache__", ".hypothesis", "node_modules"}
REQUIREMENT = re.compile(r"(?m)^([a-z0-9.-]+)==(\S+)(.*(?:\n    .*)*)")


def tracked() -> list[Path]:
    """Git's files; in a checkout without its metadata, all but what is built."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, timeout=60)
    if listed.returncode == 0 and listed.stdout:
        found = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    return [path for path in found if path.is_file() and not path.is_symlink()]


def texts() -> list[tuple[str, str]]:
    """Name and content of every tracked text that we wrote: corpora of mail are others'."""
    ours = [path for path in tracked() if path.suffix != ".eml" and "data" not in path.relative_to(ROOT).parts]
    found = []
    for path in ours:
        try:
            found.append((str(path.relative_to(ROOT)), path.read_text("utf-8")))
        except UnicodeDecodeError:
            continue  # no text
    return found


def findings(pattern: str) -> list[str]:
    lines = [(name, number, line) for name, text in texts() for number, line in enumerate(text.splitlines(), 1)]
    return [f"{name}:{number}: {line.strip()[:100]}" for name, number, line in lines if re.search(pattern, line)]


def modules() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


# -- what is tracked


def test_no_path_of_one_machine_is_tracked():
    assert findings(r"(^|[^A-Za-z0-9_.])/(work|farm|root|Users|home/(?!USER|me\b)[a-z]+)/[A-Za-z]") == []


def test_no_package_registry_is_named():
    assert findings(r"://[a-z.-]*(py[p]i|python[h]osted|npm[j]s)[.]") == []


def test_no_loose_end_is_tracked():
    assert findings(r"(#|//|--) *(TODO|FIXME|XXX)\b|raise NotImplemented[E]rror") == []


def test_every_module_says_what_it_promises():
    read = {path: path.read_bytes() for path in modules()}
    assert [str(path) for path, code in read.items() if code and not ast.get_docstring(ast.parse(code))] == []


def test_no_module_is_a_drawer():
    assert [str(path) for path in modules() if path.stem in ("util", "utils", "helpers", "misc", "common")] == []


def test_scripts_can_be_run_and_parsed():
    for path in (ROOT / ".ci").iterdir():
        assert os.access(path, os.X_OK), path
        assert subprocess.run(["sh", "-n", path], timeout=30).returncode == 0


def test_links_between_our_documents_lead_somewhere():
    documents = [path for path in tracked() if path.suffix == ".md"]
    links = [(path, link) for path in documents for link in re.findall(r"\]\(([^)#:\s]+)[)#]", path.read_text("utf-8"))]
    assert [f"{path.name}: {link}" for path, link in links if not (path.parent / link).exists()] == []


def test_a_row_is_marked_by_its_id():
    marks = [
        (path.name, argument)
        for path in modules()
        for call in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.row"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]
    well_formed = re.compile(r"[A-Z]{1,2}\d{1,3}[a-z]?")
    assert [(name, one.value) for name, one in marks if not well_formed.fullmatch(str(one.value))] == []


# -- licence


def test_the_licence_is_the_one_we_name():
    assert PROJECT["project"]["license"] == "GPL-3.0-or-later"
    assert PROJECT["project"]["license-files"] == ["LICENSE"]
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in licence
    assert "Version 3, 29 June 2007" in licence


# -- commands


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_ci_runs_everything():
    assert re.search(r"(?m)^exec make test$", (ROOT / ".ci/run").read_text("utf-8"))
    assert "CI=true" in (ROOT / ".ci/run").read_text("utf-8")


# -- locks


def locked(name: str) -> dict[str, tuple[str, str]]:
    return {found[1]: (found[2], found[3]) for found in REQUIREMENT.finditer((ROOT / name).read_text("utf-8"))}


def plain(requirement: str) -> str:
    return re.split(r"[<>=\[; ]", requirement)[0].lower()


@pytest.mark.row("H01")
@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_index(name):
    pins = locked(name)
    assert pins
    assert [pin for pin, (_, rest) in pins.items() if "--hash=sha256:" not in rest] == []
    text = (ROOT / name).read_text("utf-8")
    assert len(pins) == text.count("==") - text.count(" == "), "a line that is no pin"
    assert re.findall(r"(?m)^(?:-|--)\S+", text) == []
    assert "://" not in text


@pytest.mark.row("H01")
def test_the_locks_agree_with_the_project_and_each_other():
    run, build, dev = (locked(name) for name in LOCKS)
    groups = PROJECT["dependency-groups"]
    assert {plain(one) for one in PROJECT["project"]["dependencies"]} <= run.keys()
    assert {plain(one) for one in groups["build"]} <= build.keys()
    assert {plain(one) for one in groups["dev"] if isinstance(one, str)} <= dev.keys()
    assert {name: version for name, (version, _) in (run | build).items()}.items() <= {
        name: version for name, (version, _) in dev.items()
    }.items()


@pytest.mark.row("H01")
def test_few_libraries_are_asked_for():
    assert len(PROJECT["project"]["dependencies"]) <= 15


# -- the wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def build_wheel(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_all_it_needs(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    code = [path.relative_to(ROOT) for path in tracked() if path.is_relative_to(ROOT / "mailrouter")]
    assert {str(path) for path in code} <= names
    migrations = [path.relative_to(ROOT) for path in tracked() if path.is_relative_to(ROOT / "migrations")]
    assert {f"mailrouter/{path}" for path in migrations} <= names
    assert any(name.endswith(".txt") and "/letters/" in name for name in names)
    assert {f"mailrouter/press/templates/{name}" for name in ("note.html", "style.css")} <= names
    assert [name for name in names if not re.match(r"mailrouter/|mailrouter-[^/]*\.dist-info/", name)] == []


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith("/METADATA")]
        about = HeaderParser().parsestr(packed.read(name).decode("utf-8"))
    assert (about["License-Expression"], about["Requires-Python"]) == ("GPL-3.0-or-later", ">=3.11")
    assert about["License-File"] == "LICENSE"


@pytest.mark.row("H04")
def test_two_wheels_are_equal(wheel, tmp_path):
    again = build_wheel(tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The steps of the Dockerfile: an environment from the lock by hash, then the wheel alone. Gives its `bin`."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=120)
    pip = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
    for what in (["--require-hashes", "-r", ROOT / "requirements.lock"], ["--no-deps", wheel]):
        done = subprocess.run([*pip, *what], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    return folder / "bin"


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": f"{installed}:/usr/bin:/bin", "HOME": str(folder), "MAILROUTER_DATA_DIR": str(folder / "data")}
    return subprocess.run(
        [installed / "mailrouter", *arguments], cwd=folder, env=environ, capture_output=True, text=True, timeout=120
    )


def test_the_installed_command_works_anywhere(installed, tmp_path):
    done = run(installed, tmp_path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout
    upgraded = run(installed, tmp_path, "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert run(installed, tmp_path, "db", "check").returncode == 0
    letters = run(installed, tmp_path, "letter", "list")
    assert letters.returncode == 0
    assert "follow-up-1" in letters.stdout


# -- the image and the unit


@pytest.mark.row("H03")
def test_the_image_is_built_from_wheel_and_lock_and_runs_without_rights():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    final = text.rpartition("\nFROM ")[2]
    assert "--require-hashes -r requirements.lock" in text
    assert "--no-deps dist/*.whl" in text
    assert re.search(r"(?m)^USER mailrouter$", final)
    assert re.search(r"(?m)^VOLUME /data$", final)
    assert re.search(r'(?m)^HEALTHCHECK .*CMD \["mailrouter", "doctor"\]$', final)
    assert "pip install" not in final
    assert ":latest" not in text
    copied = re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", text)
    wanted = {source for line in copied for source in line.split()}
    assert {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line[:1] == "!"} == wanted
    assert [source for source in wanted if not (ROOT / source).exists()] == []


@pytest.mark.row("H02")
def test_the_unit_is_closed(tmp_path):
    analyze = program("systemd-analyze", "systemd")
    unit = ROOT / "config" / "mailrouter.service"
    security = [analyze, "security", "--offline=true", "--no-pager", "--threshold=15", unit]
    done = subprocess.run(security, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout.splitlines()[-1:]
    runnable = tmp_path / "mailrouter.service"
    runnable.write_text(unit.read_text("utf-8").replace("/opt/mailrouter/bin/mailrouter", "/bin/true"))
    verified = subprocess.run([analyze, "verify", "--man=no", runnable], capture_output=True, text=True, timeout=60)
    assert (verified.returncode, verified.stderr) == (0, "")
