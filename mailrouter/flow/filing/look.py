"""One message as a person looks at it: opened again from its raw bytes; nothing decrypted is ever kept.

A mail that GnuPG cannot open just now is shown as it came, and says so. What was signed or decrypted only in part is
shown apart from the rest (testbook P105).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mailrouter import faults
from mailrouter.flow.arriving import receive
from mailrouter.mail import authenticate, offers, parameters, parse, pgpmime, quote, words
from mailrouter.mail.parse import Mail
from mailrouter.store import files, inbox, messages, outbox
from mailrouter.store.messages import Message
from mailrouter.tools import Tools

NOT_SHOWN = "[a secret key is not shown; it stands in --raw]"
NOT_NOW = "it could not be opened just now"
READABLE = ("ok", "partial")  # of Opened.decrypted


@dataclass(frozen=True, slots=True)
class Text:
    """A readable piece. `what` says which one it is, '' when there is only one."""

    what: str
    text: str
    new: str  # without what it quotes


@dataclass(frozen=True, slots=True, repr=False)
class File:
    """An attachment. `name` is safe to show and no path; '' where the sender gave none."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Look:
    """A message with what can be read of it."""

    message: Message
    raw: bytes | None  # exactly what came in, or what leaves; None: there is no mail, or not yet
    texts: tuple[Text, ...]
    files: tuple[File, ...]
    outer_subject: str = ""  # where another one is signed or encrypted inside (testbook P124)
    date: str = ""  # as its header says, unproved
    defects: tuple[str, ...] = ()
    decrypted: bool = False
    trouble: str = ""  # why it could not be opened now

    @property
    def text(self) -> str:
        """All of it, the pieces under their names."""
        return "\n\n".join(f"[{t.what}]\n{t.text}" if t.what else t.text for t in self.texts)

    @property
    def new(self) -> str:
        """What an answer would quote."""
        return "\n\n".join(t.new for t in self.texts if t.new)


def at(tools: Tools, message_id: int) -> Look:
    """Whatever kind of message it is; `NotFound` if there is none."""
    with tools.db.read() as tx:
        message = messages.get(tx, message_id)
        raw = inbox.raw(tx, message.mail_id) if message.mail_id is not None else None
        letter = outbox.get(tx, message.letter_id) if message.letter_id is not None else None
        kept = files.some(tx, (f["digest"] for f in outbox.attachments(letter))) if letter is not None else {}
    if letter is not None:
        return _letter(message, letter, kept)
    if raw is None:
        return Look(message, None, (Text("", message.note, message.note),), ())
    return _mail(tools, message, raw)


def _letter(message: Message, letter: outbox.Letter, kept: Mapping[str, bytes]) -> Look:
    carried = (File(f["name"], f["type"], kept[f["digest"]]) for f in outbox.attachments(letter))
    return Look(message, letter.sealed, (Text("", letter.body, letter.body),), tuple(carried))


# ---- a mail that came in -----------------------------------------------------------------------------------------


def _mail(tools: Tools, message: Message, raw: bytes) -> Look:
    mail = parse.mail(raw, to_show=True)
    opened, trouble = pgpmime.Opened(), ""
    try:
        opened = receive.open_mail(tools, raw, authenticate.sender(mail).address)
    except faults.TryLater as fault:
        trouble = f"{NOT_NOW}: {fault}"
    pieces = list(_pieces(mail, opened))
    return Look(
        message=message,
        raw=raw,
        texts=tuple(readable(what, piece) for what, piece in pieces),
        files=(*(one for _, piece in pieces if isinstance(piece, Mail) for one in _files(piece)), *_decrypted(opened)),
        outer_subject=mail.subject if opened.protected_subject not in (None, mail.subject) else "",
        date=f"{mail.date:%Y-%m-%d %H:%M} UTC" if mail.date else "",
        defects=mail.defects,
        decrypted=opened.encrypted and opened.decrypted in READABLE,
        trouble=trouble or (opened.reason if opened.encrypted and opened.decrypted not in READABLE else ""),
    )


def _pieces(mail: Mail, opened: pgpmime.Opened) -> Iterator[tuple[str, Mail | str]]:
    """What was opened, when that is the whole mail; else the mail as it came, and what was opened apart."""
    if opened.content is None:
        yield "", mail
        return
    within = inside(opened, opened.content)
    if opened.decrypted == "ok" or opened.covers == "all":
        yield "", within
        return
    yield "not signed" if opened.decrypted == "none" else "not encrypted", mail
    if not opened.file or b"\0" not in opened.content:  # else it is no text: it is among the files
        yield "the signed part" if opened.decrypted == "none" else "the encrypted part", within


def _decrypted(opened: pgpmime.Opened) -> Iterator[File]:
    """A file that came encrypted, as it was before: `fix.zip` of `fix.zip.gpg`."""
    if opened.file and opened.encrypted and opened.content is not None and not opened.content_is_entity:
        name = parameters.file_name({"filename": opened.file.rpartition(".")[0]}, {}, [])
        yield File(name or "", "application/octet-stream", opened.content)


def inside(opened: pgpmime.Opened, content: bytes) -> Mail | str:
    """What was opened, as a mail with parts or as plain text."""
    if opened.content_is_entity:
        return parse.mail(content, to_show=True)
    return words.paragraphs(words.decode(content, opened.charset, []))


def readable(what: str, piece: Mail | str) -> Text:
    """Its text, and what of it is new."""
    text = offers.redacted(piece.text if isinstance(piece, Mail) else piece, NOT_SHOWN)
    html_only = isinstance(piece, Mail) and piece.html and not any(p.content_type == "text/plain" for p in piece.parts)
    reply = quote.split_html(piece.html) if html_only and isinstance(piece, Mail) else quote.split(text)
    return Text(what, text, offers.redacted(reply.visible, NOT_SHOWN))


def _files(mail: Mail) -> Iterator[File]:
    for found in mail.attachments:
        yield File(found.name or "", found.content_type, mail.attachment_bytes(found.index))
