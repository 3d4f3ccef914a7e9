"""TOML and the environment -> `Settings`. The environment beats the file; the first thing wrong is refused in one line.

The line names the setting, the value (secrets hidden), where it was given and what is allowed. Nothing here knows one
setting from another, except where one follows from others.
"""

import difflib
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mailrouter.case.policy import OF_A_CASE
from mailrouter.faults import Refused
from mailrouter.settings import values
from mailrouter.settings.model import Cve, Database, Imap, Settings, Smtp
from mailrouter.settings.values import Listen, Reader, hide

DEFAULT_FILE = Path("config/mailrouter.toml")
PREFIX = "MAILROUTER_"
NOT_SETTINGS = ("MAILROUTER_CONFIG", "MAILROUTER_FAILPOINT")
UNIX_PATH_BYTES = 107  # sockaddr_un on Linux, less its terminating NUL (unix(7))
SHOWN_CHARACTERS = 100  # of a refused value

# The policy's dataclass is pure and knows no readers. What may be none at all or at once may be 0.
POLICY_MAY_BE_ZERO = {"follow_ups", "letter_gap_days", "acknowledge_hours", "approvals", "notify_minutes"}


def _policy_reader(of: Field[Any]) -> Reader:
    if of.type in (time, float):
        return values.TIME if of.type is time else values.SCORE
    return values.whole(0 if of.name in POLICY_MAY_BE_ZERO else 1, 100_000)


SECTIONS: dict[str, Any] = {one.name: one.type for one in fields(Settings) if one.default_factory is one.type}


def _readers(of: Any, prefix: str = "") -> Iterator[tuple[str, Reader]]:
    for one in fields(of):
        if of is Settings and one.name in SECTIONS:
            yield from _readers(one.type, f"{one.name}.")
        elif of is not Settings or one.name != "imap":
            yield prefix + one.name, one.metadata.get("reader") or _policy_reader(one)


READERS = dict(_readers(Settings))
MAILBOX_READERS = dict(_readers(Imap))


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody gave it, where, and how they spelled its name; a `hidden` one is never shown."""

    value: object
    place: str
    spelled: str
    hidden: bool = False

    def refused(self, name: str, reader: Reader, reason: str) -> Refused:
        """One line that says to a person what is wrong with it."""
        spelled = "" if self.spelled in (name, f"{name}_file") else f" ({self.spelled})"
        return Refused(f"{name} = {self._shown(reader)} {self.place}{spelled}: {reason}")

    def _shown(self, reader: Reader) -> str:
        if (
            self.hidden
            or reader in (values.PASSWORD, values.API_KEY)
            or (reader.secret and not isinstance(self.value, str))
        ):
            return "***"
        text = repr(hide(self.value) if reader.secret and isinstance(self.value, str) else self.value)
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read, check and complete the settings; `config` is what `--config` named.

    Raises Refused with one line for the first setting that is unknown or cannot be taken.
    """
    path = config or (Path(environ["MAILROUTER_CONFIG"]) if environ.get("MAILROUTER_CONFIG") else None)
    if path is None and DEFAULT_FILE.exists():
        path = DEFAULT_FILE
    document = _document(path) if path else {}
    mailboxes = document.pop("imap", [])
    given = _from_file(document, f"in {path}") | _from_environment(environ)
    settings = _build({name: _read(name, one, READERS[name]) for name, one in given.items()})
    return _complete(replace(settings, imap=_mailboxes(mailboxes, f"in {path}")))


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Refused(f"{path}: is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{path}: is not TOML: {ascii(str(error))[1:-1]}") from None


def _from_file(document: dict[str, Any], place: str) -> dict[str, Given]:
    given = {}
    for key, value in document.items():
        if key not in SECTIONS:
            given[key] = Given(value, place, key)
        elif isinstance(value, dict):
            given |= {f"{key}.{inner}": Given(one, place, f"{key}.{inner}") for inner, one in value.items()}
        else:
            raise Refused(f"{key} {place}: write a section [{key}]")
    return _known(given, READERS, {name: name for name in (*READERS, *SECTIONS)})


def _from_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    given = {}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in NOT_SETTINGS:
            name = variable.removeprefix(PREFIX).lower().replace("__", ".", 1)
            given[name] = Given(environ[variable], "in the environment", variable)
    return _known(given, READERS, {name: PREFIX + name.upper().replace(".", "__") for name in READERS})


def _known(given: dict[str, Given], readers: dict[str, Reader], spellings: dict[str, str]) -> dict[str, Given]:
    """Every name is one we know, or refused; a secret given as NAME_file is read from that file."""
    read = {}
    for name, one in given.items():
        plain = name.removesuffix("_file")
        if name in readers:
            read[name] = one
        elif plain in readers and readers[plain].secret:
            if plain in given:
                raise Refused(f"{given[plain].spelled} and {one.spelled} are both given {one.place}: give one")
            read[plain] = replace(one, value=_read(name, one, values.CONTENT), hidden=True)
        else:
            raise Refused(f"{ascii(one.spelled)[1:-1]} {one.place}: there is no such setting; {_hint(name, spellings)}")
    return read


def _hint(name: str, spellings: dict[str, str]) -> str:
    near = difflib.get_close_matches(name.removesuffix("_file"), spellings, n=1, cutoff=0.7)
    return f"did you mean {spellings[near[0]]}?" if near else "config/mailrouter.example.toml lists all"


def _read(name: str, one: Given, reader: Reader) -> Any:
    try:
        return reader.parse(one.value)
    except values.Unfit as error:
        reason = str(error)
    except (ValueError, TypeError):
        reason = f"give {reader.allowed}"
    raise one.refused(name, reader, reason)


def _mailboxes(entries: object, place: str) -> tuple[Imap, ...]:
    """Every `[[imap]]`, checked alone and beside the others."""
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise Refused(f"imap {place}: write [[imap]], once for each mailbox")
    read = tuple(_mailbox(one, f"{place}, [[imap]] number {number}") for number, one in enumerate(entries, 1))
    for number, one in enumerate(read, 1):
        if one.name.casefold() in {other.name.casefold() for other in read[: number - 1]}:
            raise Refused(f"name = {one.name!r} {place}, [[imap]] number {number}: another mailbox has that name")
    return read


def _mailbox(entry: dict[str, Any], here: str) -> Imap:
    given = _known(
        {key: Given(value, here, key) for key, value in entry.items()},
        MAILBOX_READERS,
        {name: name for name in MAILBOX_READERS},
    )
    taken = {name: _read(name, one, MAILBOX_READERS[name]) for name, one in given.items()}
    missing = [one.name for one in fields(Imap) if one.default is MISSING and one.name not in taken]
    if missing:
        raise Refused(f"{missing[0]} {here}: is missing; give {MAILBOX_READERS[missing[0]].allowed}")
    mailbox = Imap(**taken)
    _check_mailbox(mailbox, here)
    return mailbox


def _check_mailbox(mailbox: Imap, here: str) -> None:
    if mailbox.done_folder.casefold() == mailbox.folder.casefold():
        raise Refused(f"done_folder = {mailbox.done_folder!r} {here}: give another folder than folder")
    if not mailbox.tls and not _on_this_machine(mailbox.host):
        raise Refused(f"tls = False {here}: a password is not sent in clear; without TLS host must be this machine")
    try:
        ssl.create_default_context(cafile=str(mailbox.tls_ca)) if mailbox.tls_ca else None
    except ssl.SSLError:
        raise Refused(f"tls_ca = {str(mailbox.tls_ca)!r} {here}: give certificates as PEM") from None


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _build(taken: dict[str, Any]) -> Settings:
    inside: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    top: dict[str, Any] = {}
    for name, value in taken.items():
        section, dot, key = name.partition(".")
        if dot:
            inside[section][key] = value
        else:
            top[name] = value
    return Settings(**top, **{name: SECTIONS[name](**given) for name, given in inside.items()})


def _complete(settings: Settings) -> Settings:
    """What follows from other settings: absolute paths, the database's place, whose answers count."""
    data = settings.data_dir.absolute()
    home = settings.identity.gnupg_home
    trust = settings.trust
    _check_tls(settings.smtp)
    _check_cve(settings.cve)
    return replace(
        settings,
        data_dir=data,
        database=Database(settings.database.url or f"sqlite:///{data / 'mailrouter.db'}"),
        identity=replace(settings.identity, gnupg_home=home and home.absolute()),
        smtp=replace(settings.smtp, listen=_under(data, settings.smtp.listen, "smtp.listen")),
        lmtp=replace(settings.lmtp, listen=_under(data, settings.lmtp.listen, "lmtp.listen")),
        web=replace(settings.web, listen=_under(data, settings.web.listen, "web.listen")),
        press=replace(settings.press, folder=data / settings.press.folder),
        trust=replace(trust, answers_from=trust.answers_from or ("authenticated" if trust.authserv_id else "claimed")),
    )


def _under(data: Path, listen: Listen, name: str) -> Listen:
    if listen.path is None:
        return listen
    path = data / listen.path
    if len(bytes(path)) > UNIX_PATH_BYTES:
        raise Refused(f"{name} = 'unix:{path}': a Unix socket's path may have {UNIX_PATH_BYTES} bytes")
    return replace(listen, path=path)


def _check_cve(cve: Cve) -> None:
    """All of the account, or nothing; a key is sent over TLS only, or within this machine."""
    missing = [name for name in ("org", "user", "api_key") if not getattr(cve, name)]
    if cve.url and missing:
        raise Refused(f"cve.url is given and cve.{missing[0]} is not: give the whole account, or no url")
    url = urlsplit(cve.url)
    if cve.url and url.scheme != "https" and not _on_this_machine(url.hostname or ""):
        raise Refused(f"cve.url = {cve.url!r}: give an https address; the key is not sent in clear")


def _check_tls(smtp: Smtp) -> None:
    if (smtp.tls_cert is None) != (smtp.tls_key is None):
        given, missing = ("tls_cert", "tls_key") if smtp.tls_cert else ("tls_key", "tls_cert")
        raise Refused(f"smtp.{given} is given and smtp.{missing} is not: give both, or neither")
    if smtp.tls_cert is None or smtp.tls_key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(smtp.tls_cert, smtp.tls_key, password=lambda: "")
    except (ssl.SSLError, ValueError):
        allowed = "give the key of smtp.tls_cert, both as PEM, the key without a passphrase"
        raise Refused(f"smtp.tls_key = {str(smtp.tls_key)!r}: {allowed}") from None


def number_of_a_case(name: str, value: str) -> int:
    """One of the policy's numbers as one case may have it, checked as the settings are. Raises Refused."""
    if name not in OF_A_CASE:
        raise Refused(f"{ascii(name)[1:-1]}: no number that one case may have of its own; {_hint_of_a_case(name)}")
    read: int = _read(name, Given(value, "for this case", name), READERS[f"policy.{name}"])
    return read


def _hint_of_a_case(name: str) -> str:
    near = difflib.get_close_matches(name, OF_A_CASE, n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(OF_A_CASE)}"


def ensure_data_dir(settings: Settings) -> Path:
    """Make `data_dir` with mode 0700 if it is not there; one that is there is left as it is. Raises Refused."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"data_dir = {str(settings.data_dir)!r}: cannot be made ({error.strerror})") from None
    return settings.data_dir
