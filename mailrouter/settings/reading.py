"""TOML and the environment -> `Settings`. The environment beats the file; the first thing wrong is refused in one line.

The line names the setting, the value (secrets hidden), where it was given and what is allowed. Nothing here knows one
setting from another, except where one follows from others.
"""

import difflib
import ssl
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from datetime import time
from pathlib import Path
from typing import Any

from mailrouter.faults import Refused
from mailrouter.settings import values
from mailrouter.settings.model import Database, Imap, Settings, Smtp
from mailrouter.settings.values import Listen, Reader, hide

DEFAULT_FILE = Path("config/mailrouter.toml")
PREFIX = "MAILROUTER_"
NOT_SETTINGS = ("MAILROUTER_CONFIG", "MAILROUTER_FAILPOINT")
SHOWN_CHARACTERS = 100  # of a refused value

# The policy's dataclass is pure and knows no readers. What may be none at all or at once may be 0.
POLICY_MAY_BE_ZERO = {"follow_ups", "letter_gap_days", "approvals", "notify_minutes"}


def _policy_reader(of: Field[Any]) -> Reader:
    return values.TIME if of.type is time else values.whole(0 if of.name in POLICY_MAY_BE_ZERO else 1, 100_000)


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
    """A value as somebody gave it, and where; `hidden`: it came out of a secret's file and is never shown."""

    value: object
    where: str
    hidden: bool = False

    def shown(self, reader: Reader) -> str:
        """One line that shows a person what was refused, without its secrets."""
        if self.hidden:
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
    given = _from_file(document, str(path)) | _from_environment(environ)
    _no_mailboxes(mailboxes, str(path))
    return _complete(_build({name: _read(name, one, READERS[name]) for name, one in given.items()}))


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Refused(f"{path}: is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{path}: is not TOML: {ascii(str(error))[1:-1]}") from None


def _from_file(document: dict[str, Any], where: str) -> dict[str, Given]:
    given = {}
    for key, value in document.items():
        if key in SECTIONS and not isinstance(value, dict):
            raise Refused(f"{key} in {where}: write a section [{key}]")
        entries = value if isinstance(value, dict) and key in SECTIONS else {None: value}
        for inner, one in entries.items():
            given[f"{key}.{inner}" if inner is not None else key] = Given(one, f"in {where}")
    return _secrets(given, READERS, lambda name: name)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    given = {}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in NOT_SETTINGS:
            name = variable.removeprefix(PREFIX).lower().replace("__", ".", 1)
            given[name] = Given(environ[variable], f"in the environment ({variable})")
    return _secrets(given, READERS, _variable)


def _variable(name: str) -> str:
    return PREFIX + name.upper().replace(".", "__")


def _secrets(given: dict[str, Given], readers: dict[str, Reader], spelled: Callable[[str], str]) -> dict[str, Given]:
    """Every name is known, or refused; a secret given as NAME_file is read from that file."""
    read = {}
    for name, one in given.items():
        plain = name.removesuffix("_file")
        if name in readers:
            read[name] = one
        elif plain in readers and readers[plain].secret:
            if plain in given:
                raise Refused(f"{plain} and {name} are both given {one.where}: give one")
            read[plain] = _from_secret_file(name, one)
        else:
            raise Refused(_unknown(name, one, readers, spelled))
    return read


def _unknown(name: str, one: Given, readers: dict[str, Reader], spelled: Callable[[str], str]) -> str:
    known = [*readers, *(f"{secret}_file" for secret, reader in readers.items() if reader.secret)]
    near = difflib.get_close_matches(name, known, n=1) or [k for k in known if k.split(".")[-1] == name.split(".")[-1]]
    hint = f"did you mean {spelled(near[0])}?" if near else "config/mailrouter.example.toml lists all"
    return f"{ascii(name)[1:-1]} {one.where}: there is no such setting; {hint}"


def _from_secret_file(name: str, one: Given) -> Given:
    path = _read(name, one, values.PATH)
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise Refused(f"{name} = {one.shown(values.PATH)} {one.where}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Refused(f"{name} = {one.shown(values.PATH)} {one.where}: is not UTF-8") from None
    return Given(text.rstrip("\r\n"), one.where, hidden=True)


def _read(name: str, one: Given, reader: Reader) -> Any:
    try:
        return reader.parse(one.value)
    except values.Unfit as error:
        reason = str(error)
    except (ValueError, TypeError):
        reason = f"give {reader.allowed}"
    raise Refused(f"{name} = {one.shown(reader)} {one.where}: {reason}")


def _no_mailboxes(mailboxes: object, where: str) -> None:
    """Each mailbox is checked, and then refused: leaving mail unread in silence would lose it."""
    if not isinstance(mailboxes, list) or not all(isinstance(one, dict) for one in mailboxes):
        raise Refused(f"imap in {where}: write [[imap]], once for each mailbox")
    for number, entry in enumerate(mailboxes, 1):
        label = f"in {where}, [[imap]] number {number}"
        given = _secrets({key: Given(value, label) for key, value in entry.items()}, MAILBOX_READERS, lambda name: name)
        taken = {name: _read(name, one, MAILBOX_READERS[name]) for name, one in given.items()}
        missing = [one.name for one in fields(Imap) if one.default is MISSING and one.name not in taken]
        if missing:
            raise Refused(f"{missing[0]} {label}: is missing; give {MAILBOX_READERS[missing[0]].allowed}")
        mailbox = Imap(**taken)
        raise Refused(f"imap {mailbox.name} in {where}: this version reads no mailbox; have its mail sent on by SMTP")


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
    return replace(
        settings,
        data_dir=data,
        database=Database(settings.database.url or f"sqlite:///{data / 'mailrouter.db'}"),
        identity=replace(settings.identity, gnupg_home=home and home.absolute()),
        smtp=replace(settings.smtp, listen=_under(data, settings.smtp.listen)),
        lmtp=replace(settings.lmtp, listen=_under(data, settings.lmtp.listen)),
        web=replace(settings.web, listen=_under(data, settings.web.listen)),
        trust=replace(trust, answers_from=trust.answers_from or ("authenticated" if trust.authserv_id else "claimed")),
    )


def _under(data: Path, listen: Listen) -> Listen:
    return replace(listen, path=data / listen.path) if listen.path else listen


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


def ensure_data_dir(settings: Settings) -> Path:
    """Make `data_dir` with mode 0700 if it is not there; one that is there is left as it is. Raises Refused."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"data_dir = {str(settings.data_dir)!r}: cannot be made ({error.strerror})") from None
    return settings.data_dir
