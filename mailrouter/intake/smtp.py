"""The SMTP and LMTP dialogue: mail in, one true reply out.

Promises: 250 is said after the mail is durable and never before; a fault of ours is 4xx with a constant text; LMTP says
one reply per recipient; no address, no mail and no exception text goes to a log or to the wire; what one client costs
is bounded (limits.py).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from mailrouter import logs
from mailrouter.intake import data, replies
from mailrouter.intake.connection import Connection, Hall
from mailrouter.intake.transaction import Transaction

UNIMPLEMENTED = frozenset({b"AUTH", b"BDAT", b"ETRN", b"EXPN", b"HELP", b"SAML", b"SEND", b"SOML", b"TURN"})
GONE = (ConnectionError, asyncio.IncompleteReadError)  # the client is

Verbs = dict[bytes, Callable[[Any, str], Awaitable[None]]]


class Session(Connection):
    """One SMTP client's session."""

    door: ClassVar[str] = "smtp"
    protocol_name: ClassVar[str] = "ESMTP"
    verbs: ClassVar[Verbs] = {}  # filled in at the end of this module

    def __init__(self, hall: Hall, loop: asyncio.AbstractEventLoop) -> None:
        self._idle_commands = self._mails = 0
        super().__init__(hall, loop)

    async def _handle_client(self) -> None:
        """The whole session; the library makes a task of it."""
        try:
            await self._say(await self._admit() or f"220 {self.hostname} {self.protocol_name}")
            while not self._leaving:
                await self._obey(await self._line())
                await self._consider_leaving()
        except GONE:
            pass  # and was told nothing that is not so
        finally:
            self._hang_up()

    async def _obey(self, line: bytes) -> None:
        verb, _, argument = line.rstrip(b"\r\n").partition(b" ")
        obey = self.verbs.get(verb.upper())
        if not line.endswith(b"\r\n"):
            await self._say(replies.BARE_LF)
        elif len(line) > self._limits.command:
            await self._say(replies.COMMAND_TOO_LONG)
        elif obey is None:
            await self._say(replies.NOT_IMPLEMENTED if verb.upper() in UNIMPLEMENTED else replies.UNRECOGNISED)
        else:
            self._reset_timeout()
            await self._try(obey, argument.decode("utf-8", "surrogateescape").strip(" "))

    async def _try(self, obey: Callable[[Any, str], Awaitable[None]], argument: str) -> None:
        try:
            await obey(self, argument)
        except GONE:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours is 4xx, whatever it is, and its text stays here
            await self._say(await self.handle_exception(error))

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours: its class goes to the log, nothing of it to the wire."""
        logs.failed("intake.fault", error, door=self.door)
        return replies.LATER

    async def _consider_leaving(self) -> None:
        self._idle_commands += 1
        if self._leaving:
            return
        if self._hall.draining:
            await self._say(replies.CLOSING)
        elif self._errors >= self._limits.errors:
            await self._say(replies.TOO_MANY_ERRORS)
        elif self._idle_commands >= self._limits.idle_commands:
            await self._say(replies.TOO_MANY_COMMANDS)

    # ---- the commands ----------------------------------------------------------------------------------------------

    def _set_rset_state(self) -> None:
        """The library calls this for every new connection and again after STARTTLS."""
        self._transaction = Transaction(self._hall.terms)

    async def _helo(self, hostname: str) -> None:
        """RFC 5321 4.1.1.1; the name given is neither kept nor believed."""
        await self._hello(hostname, [])

    async def _ehlo(self, hostname: str) -> None:
        """RFC 5321 4.1.1.1, and 1870, 6152, 6531, 2920, 2034, 3207 for what is offered."""
        offers = [f"SIZE {self._hall.terms.max_size}", "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"]
        await self._hello(hostname, [*offers, "STARTTLS"] if self.tls_context and not self._tls_protocol else offers)

    async def _hello(self, hostname: str, offers: list[str]) -> None:
        if not hostname or self.session is None:
            await self._say(replies.BAD_ARGUMENT)
            return
        self._set_rset_state()
        self.session.host_name = "greeted"  # the library makes a new `session` when TLS begins
        *more, last = [self.hostname, *offers]
        await self._say("".join(f"250-{line}\r\n" for line in more) + f"250 {last}")

    async def _starttls(self, argument: str) -> None:
        if not self.tls_context:
            await self._say(replies.NOT_IMPLEMENTED)
        elif self._tls_protocol:
            await self._say(replies.OUT_OF_ORDER)
        elif argument:
            await self._say(replies.BAD_ARGUMENT)
        else:
            await self._start_tls()

    async def _noop(self, argument: str) -> None:
        await self._say(replies.OK)

    async def _rset(self, argument: str) -> None:
        self._set_rset_state()
        await self._say(replies.OK)

    async def _vrfy(self, argument: str) -> None:
        await self._say(replies.NOT_TELLING)

    async def _quit(self, argument: str) -> None:
        await self._say(replies.BYE)

    async def _mail(self, argument: str) -> None:
        if self.session is None or not self.session.host_name:
            await self._say(replies.HELLO_FIRST)
        elif self._mails >= self._limits.mails:
            await self._say(replies.TOO_MANY_MAILS)
        else:
            await self._say(self._transaction.mail(argument))

    async def _rcpt(self, argument: str) -> None:
        await self._say(self._transaction.rcpt(argument))

    async def _data(self, argument: str) -> None:
        """RFC 5321 4.1.1.4. The reply comes when the mail is stored, and says nothing but that."""
        if not self._transaction.recipients:
            await self._say(replies.OUT_OF_ORDER)
        elif argument:
            await self._say(replies.BAD_ARGUMENT)
        elif self._spoke_early():
            await self._say(replies.TALKS_TOO_SOON)  # else lines of the mail would be taken for commands
        elif too_fast := self._transaction.admit(self.loop.time()):
            await self._say(too_fast)
        else:
            reply = await self._take_mail()
            self._reset_timeout()
            await self._say_to_each(reply)
            self._set_rset_state()

    # ---- the mail itself -------------------------------------------------------------------------------------------

    async def _take_mail(self) -> str:
        """Receive and store one mail: the reply to its end."""
        collector = data.Collector(self._hall.terms.max_size, self._limits.line, self._hall.terms.in_flight)
        try:
            await self._receive(collector)
            self._reset_timeout(self._limits.commit_seconds)
            raw = collector.mail()
            return collector.fault or await self._store(raw, collector)
        except GONE:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours here is owed a reply for each recipient
            self._leaving = True  # who knows how much of the mail was read
            return await self.handle_exception(error)
        finally:
            collector.release()

    async def _store(self, raw: bytes, collector: data.Collector) -> str:
        """Commit; a client that hangs up meanwhile cancels us, but neither the commit nor the count of its memory."""
        commit = self._hall.committer.begin(self._transaction.envelope(self.door, raw, self._hall.clock()))
        held = collector.hand_over()
        commit.add_done_callback(lambda _: self._hall.terms.in_flight.give(held))
        if not await asyncio.shield(commit):
            return replies.LATER
        self._mails += 1
        self._errors = self._idle_commands = 0
        return replies.STORED

    async def _say_to_each(self, reply: str) -> None:
        """SMTP: one reply for the mail."""
        await self._say(reply)


class LmtpSession(Session):
    """One LMTP client's session (RFC 2033): a hello of its own, and a reply per recipient."""

    door = "lmtp"
    protocol_name = "LMTP"

    async def _say_to_each(self, reply: str) -> None:
        """RFC 2033 4.2: one reply for each recipient accepted; one commit holds them all, so it is true of each."""
        await self._say("\r\n".join([reply] * len(self._transaction.recipients)))


_BOTH: Verbs = {
    b"STARTTLS": Session._starttls, b"MAIL": Session._mail, b"RCPT": Session._rcpt, b"DATA": Session._data,
    b"RSET": Session._rset, b"NOOP": Session._noop, b"VRFY": Session._vrfy, b"QUIT": Session._quit,
}  # fmt: skip
Session.verbs = _BOTH | {b"HELO": Session._helo, b"EHLO": Session._ehlo}
LmtpSession.verbs = _BOTH | {b"LHLO": Session._ehlo}
