"""What of a reply is new, and what repeats or signs.

For showing a mail and for quoting it in an answer; nothing is decided by it. One pass over the lines with a bounded
look ahead, so that hostile text costs no more than its length.
"""
# ruff: noqa: RUF001  (the words and signs of other languages are what the tables hold)

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.mail import markup

_LOOK_AHEAD = 4  # lines an attribution or a block of copied headers may span
_LONGEST = 500  # characters of a line looked at


@dataclass(frozen=True, slots=True)
class Reply:
    """A text in two: what its sender wrote now, and the rest. Lines keep their order in both."""

    visible: str
    hidden: str


_QUOTED = re.compile(r"\s{0,3}(?:>|\|\s|＞)")
_SIGNATURE = re.compile(r"--\s?$|__\s?$")
_DEVICE = re.compile(
    r"\s*(?:sent (?:from|via|with|using)|get outlook for|envoyé (?:de|depuis)|von meinem .{1,40} gesendet"
    r"|gesendet (?:von|mit)|enviado (?:desde|do|de)|inviato da|verzonden (?:vanaf|met)|skickat från|sendt fra|lähetetty"
    r"|отправлено (?:с|из))"
    r"(?:\s+[^\s,.;]{1,40}){1,7}\s*$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"\s*(?:[-_=*#]{2,}\s*(?:original|forwarded|reply|urspr(?:ü|ue)ngliche|weitergeleitete|message d'origine"
    r"|mensaje original|messaggio original|mensagem original|oorspronkelijk|opprinnelig|oprindelig|alkuperäinen"
    r"|исходное|пересылаемое|原始邮件|原郵件|元のメッセージ).{0,60}"
    r"|begin forwarded message:|anfang der weitergeleiteten|début du message|inizio messaggio inoltrato"
    r"|inicio del mensaje|_{20,}|-{40,})\s*$",
    re.IGNORECASE,
)
# "On <date>, <name> wrote:" in the languages mail programs speak: a verb of writing, a digit of the date, a colon.
_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|geschrieben|a écrit|escribió|escreveu|ha scritto|scrisse|schreef|geschreven|skrev"
    r"|kirjoitti|napisał|napisała|napisał\(a\)|napsal|napsala|написал|написала|пишет|пише|írta|yazdı"
    r"|a scris|έγραψε|đã viết|sent)\b|写道|寫道|のメール|さんは書きました|님이 작성|:در تاریخ",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"\W{0,3}(?:on|at|am|le|el|il|in data|em|no dia|op|den|på|w dniu|dnia|dne|pe|vào|в|στις|\d|在|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|lør|søn|man|tir|ons|tor|fre)"
    r"[a-zé.]{0,10},?)"
    r"[\s,\d年月]",
    re.IGNORECASE,
)
_DATED_ADDRESS = re.compile(r"\s*\d{4}[/.-]\d{1,2}[/.-]\d{1,2}\s.{0,200}<[^<>\s]{3,320}>:?\s*$")
_ADDRESS_END = re.compile(r"<[^<>\s]{3,320}>\s*[:：]\s*$")
_DATE = 6  # digits a date and a time of day have at least
_FROM_LABEL = re.compile(
    r"[\s*>]{0,3}(?:from|von|de|da|van|fra|från|od|от|от кого|lähettäjä|expéditeur|remitente|mittente"
    r"|发件人|寄件者|差出人|보낸 사람)\s?\*?\s?[:：]",
    re.IGNORECASE,
)
_OTHER_LABEL = re.compile(
    r"[\s*>]{0,3}(?:sent|date|to|cc|subject|reply-to|gesendet|datum|an|betreff|envoyé|à|objet|enviado|enviada em|fecha"
    r"|para|asunto|assunto|data|inviato|a|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|dato|til|emne|lähetetty"
    r"|vastaanottaja|aihe|wysłano|do|temat|дата|кому|тема|отправлено|时间|发送时间|收件人|主题|日時|宛先|件名)\s?\*?\s?[:：]",
    re.IGNORECASE,
)


def split(text: str) -> Reply:
    """A plain text (lines ending in LF) in two."""
    lines = text.split("\n")
    visible: list[str] = []
    hidden: list[str] = []
    position = 0
    while position < len(lines):
        end = _hidden_until(lines, position)
        (hidden if end > position else visible).extend(lines[position : max(end, position + 1)])
        position = max(end, position + 1)
    _move_device_line(visible, hidden)
    return Reply("\n".join(visible).strip("\n").rstrip(), "\n".join(hidden).strip("\n"))


def split_html(source: str) -> Reply:
    """The same for a mail that is HTML only: what mail programs mark as quoted is the rest."""
    cut = markup.quoted_at(source)
    above = split(markup.text(source[:cut]))
    below = markup.text(source[cut:])
    return Reply(above.visible, "\n".join(part for part in (above.hidden, below) if part))


def _hidden_until(lines: Sequence[str], position: int) -> int:
    """Where the hidden stretch that begins at this line ends; the position itself when the line is new text."""
    line = lines[position][:_LONGEST]
    if not line.strip():
        return position
    if _QUOTED.match(line):
        return position + 1
    after = _attribution_end(lines, position)
    if after > position:
        return after if _quote_follows(lines, after) else len(lines)
    if _SIGNATURE.match(line) or _DIVIDER.match(line) or _copied_headers(lines, position):
        return len(lines)
    return position


def _attribution_end(lines: Sequence[str], position: int) -> int:
    """The line after "On ..., ... wrote:", which programs break over lines; the position itself if none starts."""
    first = lines[position][:_LONGEST]
    opens = bool(_OPENING.match(first))
    if _DATED_ADDRESS.match(first) or (opens and _ADDRESS_END.search(first) and sum(map(str.isdigit, first)) >= _DATE):
        return position + 1
    if not opens and not (_starts_block(lines, position) and any(map(str.isdigit, first))):
        return position
    joined = ""
    for end in range(position, min(position + _LOOK_AHEAD, len(lines))):
        line = lines[end][:_LONGEST].strip()
        joined += " " + line
        if not line or _QUOTED.match(line):
            break
        if line.endswith((":", "：")) and _WROTE.search(joined) and any(c.isdigit() for c in joined):
            return end + 1
    return position


def _starts_block(lines: Sequence[str], position: int) -> bool:
    return position == 0 or not lines[position - 1].strip()


def _quote_follows(lines: Sequence[str], position: int) -> bool:
    """Quoted lines come next: then what stands below them may be new. Otherwise all the rest is the quoted mail."""
    for line in lines[position : position + _LOOK_AHEAD]:
        if line.strip():
            return bool(_QUOTED.match(line))
    return False


def _copied_headers(lines: Sequence[str], position: int) -> bool:
    """A block of From, Sent, To, Subject, as Outlook puts above what it quotes."""
    if not _FROM_LABEL.match(lines[position][:_LONGEST]):
        return False
    following = [line for line in lines[position + 1 : position + 3 * _LOOK_AHEAD] if line.strip()][: _LOOK_AHEAD + 1]
    return sum(bool(_OTHER_LABEL.match(line[:_LONGEST])) for line in following) > 1


def _move_device_line(visible: list[str], hidden: list[str]) -> None:
    """A last line such as "Sent from my phone" is a signature, too."""
    while visible and not visible[-1].strip():
        visible.pop()
    if len(visible) > 1 and _DEVICE.match(visible[-1][:_LONGEST]):
        hidden.insert(0, visible.pop())
