"""The smarthost: one letter over one SMTP conversation (RFC 5321), with TLS and login exactly as the settings ask."""

import binascii
import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from mailrouter.mail.compose import wire_address
from mailrouter.relay.deadline import Deadline
from mailrouter.relay.outcome import SETTING_UP, Outcome, judge


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds. The whole conversation stays under the five minutes of a lease, so that no second node sends beside us.

    RFC 5321 section 4.5.3.2 allows a server longer; giving up earlier costs one more try with the same Message-ID.
    """

    reply: float = 60.0  # for each answer of the server, and for connecting
    whole: float = 240.0  # from connecting to the last answer, however slowly the server drips


@dataclass(frozen=True, slots=True)
class Server:
    """Where the smarthost is and how to speak to it."""

    host: str
    port: int
    tls: str = "none"  # none | implicit (RFC 8314) | starttls (RFC 3207), never "if offered"
    user: str = ""
    password: str = ""
    helo: str = ""  # our name in EHLO; '' gives the host's name

    def __repr__(self) -> str:
        """Without the password: this may end up in a traceback."""
        return f"Server({self.host}:{self.port}, tls={self.tls}, {'with' if self.user else 'without'} login)"


_BROKEN: tuple[tuple[type[Exception], str], ...] = (  # the first that fits
    (TimeoutError, "timed out"),
    (ssl.SSLCertVerificationError, "certificate not trusted"),
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "connection refused"),
    (socket.gaierror, "host name not found"),
    (smtplib.SMTPServerDisconnected, "connection closed"),
    (smtplib.SMTPNotSupportedError, "not offered by the server"),
    (smtplib.SMTPException, "unreadable answer"),
    (OSError, "network error"),
    (binascii.Error, "unreadable answer"),
)


class Smarthost:
    """Hands over by SMTP, one connection a letter.

    Certificates are checked against the system's store (`SSL_CERT_FILE` replaces it), the host name with them.
    """

    nobody_receives = False

    def __init__(self, server: Server, limits: Limits) -> None:
        self._server = server
        self._limits = limits

    def send(self, raw: bytes, sender: str, recipient: str) -> Outcome:
        """One handover: 5xx for this mail is permanent; 4xx, silence, a broken line and refused settings are temporary.

        A connection that breaks after the final dot is temporary too: the letter goes out again, same bytes (R24).
        """
        try:
            _check(raw)
            path = (wire_address(sender) if sender else "", wire_address(recipient))
        except ValueError as error:
            return Outcome("permanent", str(error), "check")
        return self._converse(lambda line: line.hand_over(raw, *path))

    def probe(self) -> str:
        """Connect, TLS and login as set, EHLO, NOOP."""
        outcome = self._converse(lambda line: line.ask_noop())
        return "" if outcome.state == "sent" else str(outcome)

    def _converse(self, work: Callable[["_Line"], Outcome]) -> Outcome:
        with Deadline(self._limits.whole) as deadline:
            try:
                line = _Line(self._server, self._limits, deadline)
                with contextlib.closing(line):
                    line.set_up()
                    outcome = work(line)
                    line.leave()
                    return outcome
            except (OSError, binascii.Error) as error:  # smtplib's own are OSErrors
                return _failed(deadline, error)


def _check(raw: bytes) -> None:
    """Refuse what no server need take as one mail (RFC 5321 section 2.3.8): a lone CR or LF, a NUL, no end of line."""
    if not raw.endswith(b"\r\n") or b"\0" in raw or re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
        raise ValueError("not a mail with CRLF line ends")


class _Line(smtplib.SMTP):
    """smtplib's client, with TLS from the first byte where asked, a deadline, and the name of the step that goes on."""

    def __init__(self, server: Server, limits: Limits, deadline: Deadline) -> None:
        self._server = server
        self._limits = limits
        self._deadline = deadline
        self._tls = ssl.create_default_context() if server.tls != "none" else None
        super().__init__(server.host, server.port, local_hostname=server.helo or _own_name(), timeout=limits.reply)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """The place smtplib's own SMTP_SSL and LMTP replace too; the constructor connects before it returns."""
        connected = socket.create_connection((host, port), timeout)
        self._deadline.watch(connected)
        if self._tls is None or self._server.tls != "implicit":
            return connected
        self._deadline.at = "tls"
        secured = self._tls.wrap_socket(connected, server_hostname=host)
        self._deadline.at = "connect"
        return secured

    def set_up(self) -> None:
        """EHLO, STARTTLS and AUTH as the settings ask; never less than they ask."""
        self._greet()
        if self._server.tls == "starttls":
            self._deadline.at = "starttls"
            self.starttls(context=self._tls)
            self._greet()
        if self._server.user:
            self._deadline.at = "auth"
            self.login(self._server.user, self._server.password)

    def _greet(self) -> None:
        self._deadline.at = "ehlo"
        code, text = self.ehlo()
        if code in {500, 502}:  # a server older than ESMTP (RFC 5321 section 3.2)
            code, text = self.helo()
        if not 200 <= code < 300:
            raise smtplib.SMTPHeloError(code, text)

    def hand_over(self, raw: bytes, sender: str, recipient: str) -> Outcome:
        """MAIL, RCPT, DATA; ends at the first that is not accepted."""
        options, refusal = self._options(raw, sender + recipient)
        if refusal:
            return Outcome("permanent", refusal, "mail")
        steps: tuple[tuple[str, Callable[[], tuple[int, bytes]]], ...] = (
            ("mail", lambda: self.mail(sender, options)),
            ("rcpt", lambda: self.rcpt(recipient)),
            ("data", lambda: self._body(raw)),
        )
        outcome = Outcome("permanent")
        for at, step in steps:
            self._deadline.at = at
            outcome = judge(at, *step())
            if outcome.state != "sent":
                break
        return outcome

    def ask_noop(self) -> Outcome:
        """NOOP: the server answers, and took the settings so far."""
        self._deadline.at = "noop"
        return judge("noop", *self.noop())

    def _options(self, raw: bytes, addresses: str) -> tuple[list[str], str]:
        """MAIL's parameters, and in RFC 3463 codes why this server cannot take the frozen bytes as they are."""
        header = raw.partition(b"\r\n\r\n")[0]
        utf8 = not (addresses.isascii() and header.isascii())
        eight = not raw.isascii()
        if utf8 and not self.has_extn("smtputf8"):
            return [], "5.6.7 (SMTPUTF8 needed, not offered)"
        if eight and not self.has_extn("8bitmime"):
            return [], "5.6.3 (8BITMIME needed, not offered)"
        size = [f"SIZE={len(raw)}"] if self.has_extn("size") else []
        return size + ["BODY=8BITMIME"] * eight + ["SMTPUTF8"] * utf8, ""

    def _body(self, raw: bytes) -> tuple[int, bytes]:
        """After the final dot the server may think for all the time that is left: an early end risks a second copy."""
        assert self.sock is not None
        self.sock.settimeout(self._limits.whole)
        return self.data(raw)

    def leave(self) -> None:
        """QUIT, for politeness: what was answered before it stands, whatever becomes of it."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if self.sock is not None:
                self.sock.settimeout(min(5.0, self._limits.reply))
                self.quit()


def _own_name() -> str:
    """Our name for EHLO without asking DNS, which may hang; else an address literal (RFC 5321 section 4.1.4)."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _failed(deadline: Deadline, error: Exception) -> Outcome:
    """What smtplib or the network raised, as an outcome of the step that went on."""
    at = deadline.at
    # The bare class is smtplib's own complaint about a line without end, except for STARTTLS refused.
    if isinstance(error, smtplib.SMTPResponseException) and (
        type(error) is not smtplib.SMTPResponseException or at == "starttls"
    ):
        said = error.smtp_error
        outcome = judge(at, error.smtp_code, said if isinstance(said, bytes) else b"")
        # 2xx or 3xx in the wrong place: nothing was accepted
        return Outcome("temporary", outcome.reply, at) if outcome.state == "sent" else outcome
    # smtplib says "disconnected" for whatever ended a read; what it was stands in the context
    hidden = isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, OSError)
    cause = error.__context__ if hidden else error
    words = "timed out" if deadline.over else next(words for kind, words in _BROKEN if isinstance(cause, kind))
    ours = at in SETTING_UP and isinstance(cause, smtplib.SMTPNotSupportedError | ssl.SSLCertVerificationError)
    return Outcome("temporary", words, at, ours)
