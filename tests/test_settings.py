"""Settings: every default, every source and its precedence, and the exact message for everything refused."""

import os
import re
import stat
import tomllib
from dataclasses import FrozenInstanceError, fields
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter import settings
from mailrouter.case.policy import Policy
from mailrouter.faults import Refused
from mailrouter.settings import Listen, reading

EXAMPLE = Path(__file__).parents[1] / "config" / "mailrouter.example.toml"
FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(toml: str = "", **environ: str) -> settings.Settings:
    Path("s.toml").write_text(toml, "utf-8")
    return settings.load(Path("s.toml"), {f"MAILROUTER_{name}": value for name, value in environ.items()})


def refusal(toml: str = "", **environ: str) -> str:
    with pytest.raises(Refused) as refused:
        load(toml, **environ)
    return str(refused.value)


def value(of: settings.Settings, name: str) -> object:
    found: object = of
    for part in name.split("."):
        found = getattr(found, part)
    return found


# CONTRACT.md "Settings"; what depends on the machine is tested below
DEFAULTS = {
    "letters_dir": None,
    "identity.address": "cert@localhost.localdomain",
    "identity.also": (),
    "identity.separator": "+",
    "identity.phone": "",
    "identity.key": "",
    "identity.key_url": "",
    "identity.policy_url": "",
    "identity.notes_url": "",
    "identity.operator": "",
    "identity.gnupg_home": None,
    "identity.passphrase_file": None,
    "identity.archive_key": (),
    "smtp.listen": Listen("127.0.0.1", 8025),
    "smtp.tls_cert": None,
    "smtp.tls_key": None,
    "smtp.max_size": 26_214_400,
    "smtp.max_connections": 200,
    "smtp.max_per_client": 20,
    "smtp.rate_per_sender": 60,
    "smtp.rate_total": 600,
    "lmtp.listen": Listen("127.0.0.1", 8024),
    "imap": (),
    "relay.url": "maildir:outgoing",
    "policy.embargo_days": 45,
    "policy.follow_up_days": 14,
    "policy.follow_ups": 2,
    "policy.letter_gap_days": 4,
    "policy.non_responsive_days": 14,
    "policy.non_responsive_attempts": 2,
    "policy.non_responsive_weeks": 6,
    "policy.answer_days": 2,
    "policy.acknowledge_hours": 24,
    "policy.score_threshold": 4.0,
    "policy.draft_days": 10,
    "policy.reminder_days": 3,
    "policy.approvals": 1,
    "policy.digest_at": time(8),
    "policy.notify_minutes": 15,
    "trust.authserv_id": "",
    "trust.answers_from": "claimed",
    "cve.url": "",
    "cve.org": "",
    "cve.user": "",
    "cve.api_key": "",
    "web.listen": Listen("127.0.0.1", 8080),
    "web.url": "",
    "log.level": "info",
}


@pytest.mark.parametrize(("name", "expected"), DEFAULTS.items())
def test_a_default(name, expected):
    assert value(settings.load(None, {}), name) == expected


def test_defaults_of_this_machine(tmp_path):
    got = settings.load(None, {})
    assert got.data_dir == tmp_path / "var"
    assert got.press.folder == tmp_path / "var" / "site"
    assert got.database.url == f"sqlite:///{tmp_path}/var/mailrouter.db"
    assert got.node == os.uname().nodename
    assert 1 <= got.worker.processes <= 4
    assert got.log.format in ("text", "json")


@pytest.mark.parametrize(("terminal", "expected"), [(True, "text"), (False, "json")])
def test_the_log_is_text_on_a_terminal(monkeypatch, terminal, expected):
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    assert settings.load(None, {}).log.format == expected


def test_settings_are_frozen():
    got = settings.load(None, {})
    with pytest.raises(FrozenInstanceError):
        got.smtp.max_size = 1


# -- where settings come from


def test_without_a_file_config_mailrouter_toml_is_read_if_it_is_there():
    Path("config").mkdir()
    Path("config/mailrouter.toml").write_text('node = "default"')
    assert settings.load(None, {}).node == "default"


def test_precedence_of_files():
    Path("config").mkdir()
    for name in ("config/mailrouter.toml", "named.toml", "given.toml"):
        Path(name).write_text(f'node = "{Path(name).stem}"')
    environ = {"MAILROUTER_CONFIG": "named.toml"}
    assert settings.load(Path("given.toml"), environ).node == "given"
    assert settings.load(None, environ).node == "named"
    assert settings.load(None, {"MAILROUTER_CONFIG": ""}).node == "mailrouter"


def test_the_environment_beats_the_file():
    got = load('node = "file"\n[smtp]\nmax_connections = 5\nmax_per_client = 6', NODE="env", SMTP__MAX_CONNECTIONS="7")
    assert (got.node, got.smtp.max_connections, got.smtp.max_per_client) == ("env", 7, 6)


def test_other_variables_are_left_alone():
    environ = {"MAILROUTER_CONFIG": "", "MAILROUTER_FAILPOINT": "x", "mailrouter_x": "", "X_MAILROUTER_": ""}
    assert settings.load(None, environ) == settings.load(None, {})


def test_relative_paths_are_taken_from_here_or_from_data_dir(tmp_path):
    got = load(DATA_DIR="d", LMTP__LISTEN="unix:lmtp.sock", IDENTITY__GNUPG_HOME="keys")
    assert got.lmtp.listen == Listen(path=tmp_path / "d" / "lmtp.sock")
    assert got.identity.gnupg_home == tmp_path / "keys"
    assert got.database.url == f"sqlite:///{tmp_path}/d/mailrouter.db"


# -- what is taken

TAKEN = [
    ("SMTP__LISTEN", "0.0.0.0:25", "smtp.listen", Listen("0.0.0.0", 25)),
    ("SMTP__LISTEN", "[::1]:25", "smtp.listen", Listen("::1", 25)),
    ("SMTP__LISTEN", "localhost:0", "smtp.listen", Listen("localhost", 0)),
    ("SMTP__LISTEN", "", "smtp.listen", Listen()),
    ("LMTP__LISTEN", "unix:/run/lmtp", "lmtp.listen", Listen(path=Path("/run/lmtp"))),
    ("SMTP__MAX_SIZE", "10 MiB", "smtp.max_size", 10 * 2**20),
    ("SMTP__MAX_SIZE", "1GiB", "smtp.max_size", 2**30),
    ("SMTP__MAX_SIZE", "65536", "smtp.max_size", 65536),
    ("SMTP__RATE_TOTAL", "0", "smtp.rate_total", 0),
    ("IDENTITY__ADDRESS", "cert+vu@cert.example", "identity.address", "cert+vu@cert.example"),
    ("IDENTITY__ALSO", "a@b.example, c@d.example", "identity.also", ("a@b.example", "c@d.example")),
    ("IDENTITY__ALSO", "", "identity.also", ()),
    ("IDENTITY__NAME", " Équipe ", "identity.name", "Équipe"),
    ("IDENTITY__KEY", "0123 4567 89ab cdef 0123  4567 89ab cdef 0123 4567", "identity.key", FINGERPRINT),
    ("IDENTITY__OPERATOR", "", "identity.operator", ""),
    ("IDENTITY__ARCHIVE_KEY", FINGERPRINT.lower(), "identity.archive_key", (FINGERPRINT,)),
    ("IDENTITY__ARCHIVE_KEY", "", "identity.archive_key", ()),
    (
        "IDENTITY__POLICY_URL",
        "https://cert.example/policy?a=b",
        "identity.policy_url",
        "https://cert.example/policy?a=b",
    ),
    ("POLICY__DIGEST_AT", "23:59", "policy.digest_at", time(23, 59)),
    ("POLICY__APPROVALS", "0", "policy.approvals", 0),
    ("POLICY__FOLLOW_UPS", "0", "policy.follow_ups", 0),
    ("POLICY__SCORE_THRESHOLD", "0", "policy.score_threshold", 0),
    ("POLICY__SCORE_THRESHOLD", "10.0", "policy.score_threshold", 10.0),
    ("TRUST__AUTHSERV_ID", "mx.example.org", "trust.answers_from", "authenticated"),
    ("TRUST__ANSWERS_FROM", "signed", "trust.answers_from", "signed"),
    ("RELAY__URL", "maildir:/var/spool/out", "relay.url", "maildir:/var/spool/out"),
    ("RELAY__URL", "smtp://mail.example:25", "relay.url", "smtp://mail.example:25"),
    ("RELAY__URL", "smtps://me:p%40ss@mail.example", "relay.url", "smtps://me:p%40ss@mail.example"),
    ("RELAY__URL", "smtp+starttls://mail.example:587", "relay.url", "smtp+starttls://mail.example:587"),
    ("DATABASE__URL", "sqlite:///x.db", "database.url", "sqlite:///x.db"),
    ("DATABASE__URL", "postgresql+psycopg://u:p@h/db", "database.url", "postgresql+psycopg://u:p@h/db"),
    ("DATABASE__URL", "postgresql+psycopg:///db?host=/run/pg", "database.url", "postgresql+psycopg:///db?host=/run/pg"),
    ("WORKER__PROCESSES", "8", "worker.processes", 8),
    ("LOG__FORMAT", "text", "log.format", "text"),
]


@pytest.mark.parametrize(("variable", "given", "name", "expected"), TAKEN, ids=[f"{t[0]}={t[1]}" for t in TAKEN])
def test_a_value_is_taken(variable, given, name, expected):
    assert value(load(**{variable: given}), name) == expected


def test_toml_values_have_their_own_kinds():
    got = load(
        """
        [identity]
        also = ["a@b.example"]
        [smtp]
        max_size = "1 MiB"
        max_connections = 9
        [policy]
        digest_at = 07:30:00
        """
    )
    assert (got.identity.also, got.smtp.max_size, got.smtp.max_connections) == (("a@b.example",), 2**20, 9)
    assert got.policy.digest_at == time(7, 30)


@pytest.mark.parametrize("one", fields(Policy), ids=lambda one: one.name)
def test_every_number_of_the_policy_can_be_set(one):
    given, expected = {time: ("09:15", time(9, 15)), float: ("6.5", 6.5)}.get(one.type, ("7", 7))
    assert getattr(load(**{f"POLICY__{one.name.upper()}": given}).policy, one.name) == expected


# -- what is refused, word for word

LISTEN = 'give HOST:PORT, [IPV6]:PORT, unix:PATH, or "" for off'
SIZE = 'give a size from 1 KiB to 1 GiB, such as "25 MiB" or 26214400'
WEB = "give an http:// or https:// address without a password"
ADDRESS = "give one mail address, such as cert@example.org"
RELAY = (
    "give maildir:FOLDER, smtp://HOST:PORT, smtps://USER:PASSWORD@HOST:PORT or smtp+starttls://USER:PASSWORD@HOST:PORT"
)
AUTHSERV = "give the name our border puts in Authentication-Results, such as mx.example.org"
SCORE = "give a CVSS score from 0 to 10 with one decimal, such as 4.0, or 0 for none"
TIME = 'give a time of day as "HH:MM" (UTC)'
DATABASE = "give sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
REFUSED = [
    ("data_dir", "", "give a path"),
    ("node", "", "give up to 64 letters, digits, dots, hyphens and underscores"),
    ("node", "a b", "give up to 64 letters, digits, dots, hyphens and underscores"),
    ("letters_dir", "nowhere", "there is no such folder"),
    ("database.url", "", DATABASE),
    ("database.url", "mysql://h/db", DATABASE),
    ("database.url", "sqlite://", DATABASE),
    ("database.url", "sqlite:///:memory:", DATABASE),
    ("database.url", "postgresql://h/db", DATABASE),
    ("database.url", "postgresql+psycopg://h", DATABASE),
    ("database.url", "postgresql+psycopg://h:99999/db", DATABASE),
    ("identity.address", "", ADDRESS),
    ("identity.address", "cert", ADDRESS),
    ("identity.address", "CERT <cert@example.org>", ADDRESS),
    ("identity.address", "a@b@c.example", ADDRESS),
    ("identity.address", "a@-b.example", ADDRESS),
    ("identity.also", "a@b.example,nobody", "give a list of mail addresses (in the environment: separated by commas)"),
    ("identity.separator", "_", 'give "+", "-", "=", or "" for no such addresses'),
    ("identity.separator", "++", 'give "+", "-", "=", or "" for no such addresses'),
    ("identity.name", "two\nlines", "give text on one line, without control characters"),
    ("identity.phone", "\x1b[2J", "give text on one line, without control characters"),
    ("identity.key", "01234567", "give a primary key's fingerprint, 40 hexadecimal digits"),
    ("identity.key", FINGERPRINT[:-1] + "G", "give a primary key's fingerprint, 40 hexadecimal digits"),
    ("identity.key_url", "cert.example/key", WEB),
    ("identity.policy_url", "ftp://cert.example/", WEB),
    ("identity.notes_url", "https://", WEB),
    ("identity.operator", "root", 'give one mail address, or "" for none'),
    ("identity.gnupg_home", "a\0b", 'give a path, or "" for the default'),
    ("identity.passphrase_file", "nowhere", "it cannot be read (No such file or directory)"),
    ("identity.passphrase_file", "/etc/passwd", "others may read it; chmod 600"),
    ("identity.archive_key", "0123 4567", "it cannot be read (No such file or directory)"),
    ("smtp.listen", "8025", LISTEN),
    ("smtp.listen", "127.0.0.1", LISTEN),
    ("smtp.listen", ":8025", LISTEN),
    ("smtp.listen", "::1:8025", LISTEN),
    ("smtp.listen", "[::zz]:8025", LISTEN),
    ("smtp.listen", "localhost:65536", LISTEN),
    ("smtp.listen", "local host:25", LISTEN),
    ("smtp.listen", "unix:", LISTEN),
    ("smtp.tls_cert", "nowhere.pem", "it cannot be read (No such file or directory)"),
    ("smtp.tls_key", ".", "it cannot be read (Is a directory)"),
    ("smtp.max_size", "25 MB", SIZE),
    ("smtp.max_size", "1023", SIZE),
    ("smtp.max_size", "2 GiB", SIZE),
    ("smtp.max_connections", "0", "give a whole number from 1 to 100000"),
    ("smtp.max_connections", "many", "give a whole number from 1 to 100000"),
    ("smtp.max_per_client", "-1", "give a whole number from 1 to 100000"),
    ("smtp.rate_per_sender", "1.5", "give a whole number from 0 to 1000000"),
    ("smtp.rate_total", "", "give a whole number from 0 to 1000000"),
    ("lmtp.listen", "inet:127.0.0.1:24", LISTEN),
    ("relay.url", "", RELAY),
    ("relay.url", "maildir:", RELAY),
    ("relay.url", "http://mail.example", RELAY),
    ("relay.url", "smtp://", RELAY),
    ("relay.url", "smtp://mail.example:0", RELAY),
    ("relay.url", "smtp://mail.example:99999", RELAY),
    ("relay.url", "smtp://mail.example/path", RELAY),
    ("policy.embargo_days", "0", "give a whole number from 1 to 100000"),
    ("policy.follow_up_days", "-14", "give a whole number from 1 to 100000"),
    ("policy.follow_ups", "two", "give a whole number from 0 to 100000"),
    ("policy.score_threshold", "10.1", SCORE),
    ("policy.score_threshold", "-1", SCORE),
    ("policy.score_threshold", "4.05", SCORE),
    ("policy.score_threshold", "nan", SCORE),
    ("policy.digest_at", "8", TIME),
    ("policy.digest_at", "24:00", TIME),
    ("trust.authserv_id", "mx example", AUTHSERV),
    ("trust.answers_from", "anyone", "give one of signed, authenticated, claimed"),
    ("press.folder", "", "give a path"),
    ("cve.url", "cveawg.example", WEB),
    ("cve.org", "a\nb", "give text on one line, without control characters"),
    ("cve.user", "a\nb", "give text on one line, without control characters"),
    ("web.listen", "8080", LISTEN),
    ("web.url", "https://me:pw@cert.example/", WEB),
    ("worker.processes", "0", "give a whole number from 1 to 64"),
    ("log.format", "xml", "give one of text, json"),
    ("log.level", "INFO", "give one of debug, info, warning, error"),
]


@pytest.mark.parametrize(("name", "given", "reason"), REFUSED, ids=[f"{t[0]}={t[1]}"[:40] for t in REFUSED])
def test_a_value_is_refused_in_these_words(name, given, reason):
    variable = name.upper().replace(".", "__")
    shown = repr(given) if len(repr(given)) <= 100 else repr(given)[:100] + "..."
    assert refusal(**{variable: given}) == f"{name} = {shown} in the environment (MAILROUTER_{variable}): {reason}"


def test_every_setting_has_a_refused_value():
    assert {name for name, _, _ in REFUSED} | set(POLICY) | {"cve.api_key"} == set(reading.READERS)


API_KEY = "give an API key (or api_key_file, the file that holds it)"
ACCOUNT = {"CVE__URL": "https://cve.example/api/", "CVE__ORG": "ours", "CVE__USER": "robot@ours.example"}
ACCOUNTS = [
    (ACCOUNT, "cve.url is given and cve.api_key is not: give the whole account, or no url"),
    (
        ACCOUNT | {"CVE__API_KEY": "a\nb"},
        f"cve.api_key = *** in the environment (MAILROUTER_CVE__API_KEY): {API_KEY}",
    ),
    (
        ACCOUNT | {"CVE__API_KEY": "k", "CVE__URL": "http://cve.example/"},
        "cve.url = 'http://cve.example/': give an https address; the key is not sent in clear",
    ),
]


@pytest.mark.parametrize(("given", "reason"), ACCOUNTS)
def test_half_an_account_of_the_cve_service_is_refused(given, reason):
    assert refusal(**given) == reason


def test_an_account_of_the_cve_service():
    got = load(**ACCOUNT, CVE__API_KEY="k").cve
    assert (got.url, got.org, got.user, got.api_key) == ("https://cve.example/api/", "ours", "robot@ours.example", "k")


POLICY = {f"policy.{one.name}": one for one in fields(Policy)}


@pytest.mark.parametrize("name", POLICY)
def test_every_number_of_the_policy_can_be_refused(name):
    least = 0 if name.split(".")[1] in reading.POLICY_MAY_BE_ZERO else 1
    whole = f"give a whole number from {least} to 100000"
    reason = {time: TIME, float: SCORE}.get(POLICY[name].type, whole)
    assert refusal(f"[policy]\n{name.split('.')[1]} = 'soon'") == f"{name} = 'soon' in s.toml: {reason}"


ADDRESSES = "give a list of mail addresses (in the environment: separated by commas)"
KINDS = [
    ("[smtp]\nlisten = 8025", f"smtp.listen = 8025 in s.toml: {LISTEN}"),
    ("[smtp]\nmax_connections = true", "smtp.max_connections = True in s.toml: give a whole number from 1 to 100000"),
    ("[smtp]\nmax_connections = 1.0", "smtp.max_connections = 1.0 in s.toml: give a whole number from 1 to 100000"),
    ("[smtp]\nmax_size = [1]", f"smtp.max_size = [1] in s.toml: {SIZE}"),
    ("[smtp.listen]\nhost = 'a'", f"smtp.listen = {{'host': 'a'}} in s.toml: {LISTEN}"),
    ("[relay]\nurl = 25", f"relay.url = *** in s.toml: {RELAY}"),
    ("[relay.url]\npassword = 'hunter2'", f"relay.url = *** in s.toml: {RELAY}"),
    ("[identity]\naddress = ['a@b.example']", f"identity.address = ['a@b.example'] in s.toml: {ADDRESS}"),
    ("[identity]\nalso = [1]", f"identity.also = [1] in s.toml: {ADDRESSES}"),
    ("[policy]\ndigest_at = 08:00:01", f"policy.digest_at = datetime.time(8, 0, 1) in s.toml: {TIME}"),
    ("smtp = 25", "smtp in s.toml: write a section [smtp]"),
    ("[[smtp]]\nlisten = ''", "smtp in s.toml: write a section [smtp]"),
]


@pytest.mark.parametrize(("toml", "message"), KINDS)
def test_a_toml_value_of_the_wrong_kind(toml, message):
    assert refusal(toml) == message


UNKNOWN_IN_A_FILE = [
    ("nod = 'x'", "nod", "did you mean node?"),
    ("[smtp]\nlisen = 'x'", "smtp.lisen", "did you mean smtp.listen?"),
    ("[smpt]\nlisten = 'x'", "smpt", "did you mean smtp?"),
    ("[relay]\nurl_fil = 'x'", "relay.url_fil", "did you mean relay.url?"),
    ("[zzz]\nqqq = 1", "zzz", "config/mailrouter.example.toml lists all"),
    ("[smtp]\nlisten_file = 'x'", "smtp.listen_file", "did you mean smtp.listen?"),
    ('"a\\nb" = 1', "a\\nb", "config/mailrouter.example.toml lists all"),
]


@pytest.mark.parametrize(("toml", "name", "hint"), UNKNOWN_IN_A_FILE)
def test_an_unknown_setting_in_a_file_is_refused_and_the_nearest_named(toml, name, hint):
    assert refusal(toml) == f"{name} in s.toml: there is no such setting; {hint}"


UNKNOWN_VARIABLES = [
    ("SMTP_LISTEN", "did you mean MAILROUTER_SMTP__LISTEN?"),
    ("DATADIR", "did you mean MAILROUTER_DATA_DIR?"),
    ("SMTP__", "config/mailrouter.example.toml lists all"),
    ("IMAP__HOST", "config/mailrouter.example.toml lists all"),
    ("SMTP__LISTEN__PORT", "did you mean MAILROUTER_SMTP__LISTEN?"),
]


@pytest.mark.parametrize(("variable", "hint"), UNKNOWN_VARIABLES)
def test_an_unknown_variable_is_refused_and_the_nearest_named(variable, hint):
    message = refusal(**{variable: "hunter2"})
    assert message == f"MAILROUTER_{variable} in the environment: there is no such setting; {hint}"


# -- files


def test_a_file_that_is_not_there():
    with pytest.raises(Refused) as refused:
        settings.load(Path("nowhere.toml"), {})
    assert str(refused.value) == "nowhere.toml: cannot be read (No such file or directory)"
    with pytest.raises(Refused) as refused:
        settings.load(None, {"MAILROUTER_CONFIG": "."})
    assert str(refused.value) == ".: cannot be read (Is a directory)"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"node = ", "s.toml: is not TOML: Invalid value (at end of document)"),
        (b"node = 'a'\nnode = 'b'", "s.toml: is not TOML: Cannot overwrite a value (at end of document)"),
        (b"node = '\xff'", "s.toml: is not UTF-8"),
        (b"a\x00", "s.toml: is not TOML: Expected '=' after a key in a key/value pair (at line 1, column 2)"),
    ],
)
def test_a_file_that_is_not_toml(content, message):
    Path("s.toml").write_bytes(content)
    with pytest.raises(Refused) as refused:
        settings.load(Path("s.toml"), {})
    assert str(refused.value) == message


def test_a_socket_with_a_path_too_long_for_the_kernel(tmp_path):
    name = "x" * (107 - len(f"{tmp_path}/d/"))
    assert load(DATA_DIR="d", LMTP__LISTEN=f"unix:{name}").lmtp.listen
    path = f"{tmp_path}/d/{name}x"
    assert refusal(DATA_DIR="d", LMTP__LISTEN=f"unix:{name}x") == (
        f"lmtp.listen = 'unix:{path}': a Unix socket's path may have 107 bytes"
    )


# -- secrets


def test_a_secret_is_read_from_its_file():
    Path("secret").write_text("smtps://me:hunter2@mail.example\n")
    assert load("[relay]\nurl_file = 'secret'").relay.url == "smtps://me:hunter2@mail.example"
    assert load(DATABASE__URL_FILE=str(_database_secret())).database.url == "postgresql+psycopg://u:hunter2@h/db"


def _database_secret() -> Path:
    path = Path("database-secret")
    path.write_text("postgresql+psycopg://u:hunter2@h/db\n")
    return path


def test_a_secret_file_of_the_environment_beats_the_file():
    Path("secret").write_text("maildir:elsewhere")
    assert load("[relay]\nurl = 'maildir:here'", RELAY__URL_FILE="secret").relay.url == "maildir:elsewhere"
    assert load("[relay]\nurl_file = 'secret'", RELAY__URL="maildir:here").relay.url == "maildir:here"


def test_a_secret_is_given_once():
    Path("secret").write_text("maildir:elsewhere")
    both = "[relay]\nurl = 'maildir:here'\nurl_file = 'secret'"
    assert refusal(both) == "relay.url and relay.url_file are both given in s.toml: give one"


IN_CLEAR = "a password is not sent in clear; use smtps:// or smtp+starttls://"
SECRET_FILES = [
    (None, "relay.url_file = 'secret' in s.toml: it cannot be read (No such file or directory)"),
    (b"\xff", "relay.url_file = 'secret' in s.toml: it is not UTF-8"),
    (b"hunter2", f"relay.url = *** in s.toml: {RELAY}"),
    (b"smtp://me:hunter2@h", f"relay.url = *** in s.toml: {IN_CLEAR}"),
]


@pytest.mark.parametrize(("content", "message"), SECRET_FILES)
def test_a_secret_file_that_is_refused_shows_nothing_of_it(content, message):
    if content is not None:
        Path("secret").write_bytes(content)
    assert refusal("[relay]\nurl_file = 'secret'") == message


HIDE = [
    ("smtps://me:hunter2@mail.example:465", "smtps://me:***@mail.example:465"),
    ("smtps://me:hun@ter2@mail.example", "smtps://me:***@mail.example"),
    ("smtps://me:hun/ter2@mail.example", "smtps://me:***@mail.example"),
    ("smtps://me:hun?ter2#x@mail.example", "smtps://me:***@mail.example"),
    ("smtps://:hunter2@mail.example", "smtps://:***@mail.example"),
    ("smtps://me:hunter2", "smtps://me:***"),
    ("me:hunter2@mail.example", "***@mail.example"),
    ("smtps:me:hunter2@mail.example", "***@mail.example"),
    ("postgresql+psycopg://u@h/db?password=hunter2&x=1", "postgresql+psycopg://u@h/db?password=***&x=1"),
    ("postgresql+psycopg:///db?sslpassword=hunter2", "postgresql+psycopg:///db?sslpassword=***"),
    ("smtp://mail.example:25", "smtp://mail.example:25"),
    ("smtp://[::1]:25", "smtp://[::1]:25"),
    ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
    ("maildir:outgoing", "maildir:outgoing"),
]


@pytest.mark.parametrize(("url", "shown"), HIDE)
def test_a_url_is_shown_without_its_password(url, shown):
    assert settings.hide(url) == shown


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(words, words.map(lambda text: f"PASS{text}WORD"))
def test_no_password_is_ever_shown(user, password):
    assert password not in settings.hide(f"smtps://{user}:{password}@mail.example")


PASSWORDS = [
    ("smtp://me:hunter2@h:25", "smtp://me:***@h:25", IN_CLEAR),
    ("smtps://me@h:465", "smtps://me@h:465", "give both user and password, or neither"),
    ("smtps://me:hunter2@h:port", "smtps://me:***@h:port", RELAY),
    ("smtps://me:hunter2", "smtps://me:***", RELAY),
    ("smtp+tls://me:hunter2@h", "smtp+tls://me:***@h", RELAY),
]


@pytest.mark.parametrize(("url", "shown", "reason"), PASSWORDS)
def test_a_refused_url_is_shown_without_its_password(url, shown, reason):
    assert refusal(RELAY__URL=url) == f"relay.url = '{shown}' in the environment (MAILROUTER_RELAY__URL): {reason}"


def test_settings_in_a_traceback_show_no_secret():
    got = load(RELAY__URL="smtps://me:hunter2@h", DATABASE__URL="postgresql+psycopg://u:hunter2@h/db")
    assert "hunter2" not in repr(got)


# -- TLS


def test_a_certificate_and_its_key(certificate):
    got = load(SMTP__TLS_CERT=str(certificate.cert), SMTP__TLS_KEY=str(certificate.key))
    assert (got.smtp.tls_cert, got.smtp.tls_key) == (certificate.cert, certificate.key)


def test_a_certificate_without_its_key(certificate):
    assert refusal(SMTP__TLS_CERT=str(certificate.cert)) == (
        "smtp.tls_cert is given and smtp.tls_key is not: give both, or neither"
    )
    assert refusal(SMTP__TLS_KEY=str(certificate.key)) == (
        "smtp.tls_key is given and smtp.tls_cert is not: give both, or neither"
    )


def test_a_key_of_another_certificate(certificate):
    Path("other.pem").write_text("no key")
    assert refusal(SMTP__TLS_CERT=str(certificate.cert), SMTP__TLS_KEY="other.pem").endswith(
        "/other.pem': give the key of smtp.tls_cert, both as PEM, the key without a passphrase"
    )


# -- mailboxes

MAILBOX = '[[imap]]\nname = "inbox"\nhost = "imap.example"\nuser = "cert"\npassword = "hunter2"\n'
FIRST = "in s.toml, [[imap]] number 1"
PASSWORD = "give a password (or password_file, the file that holds it)"
IN_CLEAR = "a password is not sent in clear; without TLS host must be this machine"
MAILBOXES = [
    (MAILBOX + "tls = false\nport = 143\n", f"tls = False {FIRST}: {IN_CLEAR}"),
    (MAILBOX + MAILBOX.replace("inbox", "INBOX"),
     "name = 'INBOX' in s.toml, [[imap]] number 2: another mailbox has that name"),
    (MAILBOX + "done_folder = 'inbox'", f"done_folder = 'inbox' {FIRST}: give another folder than folder"),
    (MAILBOX + "tls_ca = 'none.pem'", f"tls_ca = 'none.pem' {FIRST}: it cannot be read (No such file or directory)"),
    (MAILBOX + "tls_ca = 's.toml'", "HERE/s.toml' in s.toml, [[imap]] number 1: give certificates as PEM"),
    ("imap = 5", "imap in s.toml: write [[imap]], once for each mailbox"),
    ("[imap]\nname = 'x'", "imap in s.toml: write [[imap]], once for each mailbox"),
    ("[[imap]]\nname = 'x'", f"host {FIRST}: is missing; give a host's name or address"),
    (MAILBOX + "port = 0", f"port = 0 {FIRST}: give a whole number from 1 to 65535"),
    (MAILBOX + "tls = 'no'", f"tls = 'no' {FIRST}: give true or false"),
    (MAILBOX + "hots = 'x'", f"hots {FIRST}: there is no such setting; did you mean host?"),
    (MAILBOX + "password_file = 'x'", f"password and password_file are both given {FIRST}: give one"),
    ("[[imap]]\npassword = ''", f"password = *** {FIRST}: {PASSWORD}"),
    ("[[imap]]\npassword = 5", f"password = *** {FIRST}: {PASSWORD}"),
    ('[[imap]]\nname = "a b"', f"name = 'a b' {FIRST}: give up to 64 letters, digits, dots, hyphens and underscores"),
]  # fmt: skip


@pytest.mark.parametrize(("toml", "message"), MAILBOXES)
def test_a_mailbox_that_is_refused(toml, message):
    said = refusal(toml)
    assert said.endswith(message.removeprefix("HERE")) if message.startswith("HERE") else said == message


def test_a_password_of_two_lines_is_refused_and_not_shown():
    assert refusal('[[imap]]\npassword = "hunter2\\nA1 LOGOUT"') == f"password = *** {FIRST}: {PASSWORD}"


def test_mailboxes_are_read(tmp_path):
    Path("secret").write_text("correct horse\n")
    more = MAILBOX.replace("inbox", "second").replace('password = "hunter2"', 'password_file = "secret"')
    local = 'tls = false\nport = 143\ndone_folder = "Done"\n'.replace("tls", 'host = "127.0.0.1"\ntls')
    first, second = load(MAILBOX + more.replace('host = "imap.example"\n', "") + local).imap
    assert (first.name, first.host, first.port, first.tls, first.folder, first.done_folder) == (
        "inbox", "imap.example", 993, True, "INBOX", "",
    )  # fmt: skip
    assert (second.door, second.password, second.tls, second.done_folder) == (
        "imap:second",
        "correct horse",
        False,
        "Done",
    )
    assert "correct horse" not in repr(second)


# -- the folder for data


def test_data_dir_is_made_for_us_alone():
    got = load(DATA_DIR="a/b")
    assert settings.ensure_data_dir(got) == got.data_dir
    assert stat.S_IMODE(got.data_dir.stat().st_mode) == 0o700
    assert settings.ensure_data_dir(got) == got.data_dir


def test_a_data_dir_that_is_there_is_left_as_it_is():
    Path("mine").mkdir(mode=0o750)
    mode = Path("mine").stat().st_mode
    settings.ensure_data_dir(load(DATA_DIR="mine"))
    assert Path("mine").stat().st_mode == mode


def test_a_data_dir_that_cannot_be_made(tmp_path):
    Path("file").write_text("")
    for name, reason in (("file", "File exists"), ("file/x", "Not a directory")):
        with pytest.raises(Refused) as refused:
            settings.ensure_data_dir(load(DATA_DIR=name))
        assert str(refused.value) == f"data_dir = '{tmp_path / name}': cannot be made ({reason})"


# -- the example


def test_the_example_is_the_defaults():
    assert settings.load(EXAMPLE, {}) == settings.load(None, {})


def test_the_example_documents_every_setting():
    """Every line `# key = value` under a section, taken out of its comment, is a setting with a value we take."""
    shown = tomllib.loads(_example_without_comments())
    names = {f"{key}.{inner}" for key, one in shown.items() if isinstance(one, dict) for inner in one}
    names |= {key for key, one in shown.items() if not isinstance(one, dict | list)}
    assert {n for n in names if not n.endswith("_file") or n in reading.READERS} == set(reading.READERS)
    assert {f"{name}.{key}" for name in ("imap",) for one in shown[name] for key in one} >= {"imap.host", "imap.user"}


def _example_without_comments() -> str:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    return "\n".join(re.sub(r"^#(?=[a-z\[])", "", line) for line in lines)
