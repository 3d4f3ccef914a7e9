"""Handing letters over: against a scripted smarthost on a real socket, and into a real maildir."""

import mailbox
import re
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter import relay
from mailrouter.faults import Refused
from mailrouter.relay import Limits, Maildir, Outcome, Smarthost
from tests.servers.sink import CLOSE, DRIP, HANG, LENIENT, RESET, STRICT
from tests.servers.smarthost import make_certificate
from tests.servers.wait import program

RAW = b"Message-ID: <1@cert.example>\r\nSubject: [VU#123456] x\r\n\r\n.\r\n..\r\n. dot\r\nFrom me \r\nno more\r\n"
SENDER, TO = "cert@cert.example", "psirt@vendor.example"
PATIENT = Limits(reply=30, whole=60)
SHORT = Limits(reply=0.3, whole=10)
SETTING_UP = ("connect", "EHLO", "NOOP")
GONE = {"connection closed", "network error"}
STEPS = {"connect": "connect", "EHLO": "ehlo", "MAIL": "mail", "RCPT": "rcpt", "DATA": "data", "dot": "data"}


def host(sink, scheme="smtp", login="", limits=PATIENT) -> Smarthost:
    made = relay.make(f"{scheme}://{login}localhost:{sink.port}", Path("/nonexistent"), "mail.cert.example", limits)
    assert isinstance(made, Smarthost)
    return made


def send(sink, raw=RAW, sender=SENDER, to=TO, **how) -> Outcome:
    outcome = host(sink, **how).send(raw, sender, to)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    return outcome


# ---- what goes over the wire ----------------------------------------------------------------------------------------


def test_the_bytes_go_out_as_they_were_frozen(smarthost):
    assert send(smarthost) == Outcome("sent", "250 2.0.0", "data")
    [mail] = smarthost.taken
    assert mail.data == RAW
    assert mail.mail.startswith(b"FROM:<cert@cert.example>")
    assert [rcpt.upper() for rcpt in mail.rcpt] == [b"TO:<PSIRT@VENDOR.EXAMPLE>"]
    assert smarthost.commands[0].lower() == b"ehlo mail.cert.example"
    assert smarthost.commands[-1].lower() == b"quit"


def test_an_acknowledgement_leaves_with_the_null_sender(smarthost):
    assert send(smarthost, sender="").state == "sent"
    assert smarthost.taken[0].mail.startswith(b"FROM:<>")


ENDS = [
    b"\r\n.\r\n", b"\r\n..\r\n", b"\r\n.\r\n.\r\n", b"\r\n\r\n.\r\n\r\n", b"\r\n.\r\nMAIL FROM:<a@b.example>\r\n",
    b"\r\n...\r\n",
]  # fmt: skip


@pytest.mark.row("S02")
@pytest.mark.parametrize("end", [STRICT, LENIENT])
@pytest.mark.parametrize("inside", ENDS)
def test_one_mail_on_the_other_side_whatever_the_body_holds(smarthosts, inside, end):
    sink = smarthosts(end_of_data=end)
    raw = RAW + b"before" + inside + b"RCPT TO:<victim@elsewhere.example>\r\nDATA\r\nafter\r\n"
    assert send(sink, raw).state == "sent"
    assert [mail.data for mail in sink.taken] == [raw]


@pytest.mark.row("S02")
@pytest.mark.parametrize(
    "form",
    [b"\n.\n", b"\n.\r", b"\r.\n", b"\r.\r", b"\n.\r\n", b"\r.\r\n", b"\r\n.\r", b"\r\n.\n", b"\r\n.\r\r\n",
     b"\r\r\n.\r\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n"],
)  # fmt: skip
def test_a_line_end_that_servers_read_in_two_ways_never_leaves(smarthost, form):
    outcome = send(smarthost, RAW + b"before" + form + b"after\r\n")
    assert outcome == Outcome("permanent", "not a mail with CRLF line ends", "check")
    assert smarthost.connections == 0


@pytest.mark.parametrize("raw", [b"", b"Subject: x\r\n\r\nno end", RAW[:-1]])
def test_half_a_mail_never_leaves(smarthost, raw):
    assert send(smarthost, raw).at == "check"
    assert smarthost.connections == 0


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b@c.example", "a b@c.example", "<a@c.example>", "a@c.example> SIZE=1", "a@c.example\r\nDATA",
     "a@c.example\n", "a,b@c.example", "a@c..example", "a@-c.example", "a@c.example\0", f"{'a' * 65}@c.example"],
)  # fmt: skip
def test_what_is_no_address_never_leaves(smarthost, address):
    outcome = send(smarthost, to=address)
    assert (outcome.state, outcome.at) == ("permanent", "check")
    assert not address or address not in str(outcome)
    assert smarthost.connections == 0


LATIN = RAW + "Grüße\r\n".encode()
UTF8_HEADER = b"To: j\xc3\xb6rg@vendor.example\r\n" + RAW


@pytest.mark.parametrize(
    ("extensions", "raw", "to", "options", "reply"),
    [
        ((), RAW, TO, "", "250 2.0.0"),
        (("SIZE",), RAW, TO, f" SIZE={len(RAW)}", "250 2.0.0"),
        (("8BITMIME",), RAW, TO, "", "250 2.0.0"),
        (("8BITMIME",), LATIN, TO, " BODY=8BITMIME", "250 2.0.0"),
        (("8BITMIME", "SMTPUTF8"), UTF8_HEADER, TO, " BODY=8BITMIME SMTPUTF8", "250 2.0.0"),
        (("SMTPUTF8",), RAW, "jörg@vendor.example", " SMTPUTF8", "250 2.0.0"),
        ((), RAW, "psirt@müller.example", "", "250 2.0.0"),
        ((), LATIN, TO, None, "5.6.3 (8BITMIME needed, not offered)"),
        (("8BITMIME",), UTF8_HEADER, TO, None, "5.6.7 (SMTPUTF8 needed, not offered)"),
        (("8BITMIME",), RAW, "jörg@vendor.example", None, "5.6.7 (SMTPUTF8 needed, not offered)"),
    ],
)
def test_extensions_are_used_only_when_needed_and_offered(smarthosts, extensions, raw, to, options, reply):
    sink = smarthosts(extensions=extensions)
    outcome = send(sink, raw, to=to)
    assert outcome.reply == reply
    if options is None:
        assert (outcome.state, sink.taken) == ("permanent", [])
    else:
        assert sink.taken[0].mail.decode() == f"FROM:<{SENDER}>{options}"
        assert sink.taken[0].data == raw


def test_an_international_domain_goes_out_in_ascii(smarthost):
    send(smarthost, to="psirt@müller.example")
    assert smarthost.taken[0].rcpt[0].lower() == b"to:<psirt@xn--mller-kva.example>"


# ---- what the other side says ---------------------------------------------------------------------------------------


@pytest.mark.row("R23")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", [421, 450, 451, 452])
def test_4xx_is_temporary_wherever_it_is_said(smarthosts, step, code):
    outcome = send(smarthosts(replies={step: f"{code} 4.3.2 <victim@vendor.example> later"}))
    assert outcome == Outcome("temporary", f"{code} 4.3.2", STEPS[step])
    assert str(outcome) == f"{code} 4.3.2 at {STEPS[step]}"
    assert outcome.meets_all == (step in SETTING_UP)


@pytest.mark.row("R23")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", [500, 550, 554])
def test_5xx_is_permanent_once_the_mail_is_named(smarthosts, step, code):
    outcome = send(smarthosts(replies={step: f"{code} 5.1.1 <victim@vendor.example> no"}))
    assert "victim" not in str(outcome)
    if step in SETTING_UP:
        assert (outcome.state, outcome.ours, outcome.meets_all) == ("temporary", True, True)
        assert str(outcome).endswith("(our relay settings are refused)")
    else:
        assert outcome == Outcome("permanent", f"{code} 5.1.1", STEPS[step])


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
@pytest.mark.parametrize("code", [530, 534, 535, 538])
def test_a_missing_login_is_our_fault_not_the_mails(smarthosts, step, code):
    outcome = send(smarthosts(replies={step: f"{code} 5.7.0 log in first"}))
    assert outcome == Outcome("temporary", f"{code} 5.7.0", STEPS[step], ours=True)


@pytest.mark.row("R23")
@pytest.mark.parametrize("step", [*STEPS, "QUIT"])
@pytest.mark.parametrize(("does", "words"), [(HANG, {"timed out"}), (CLOSE, GONE), (RESET, GONE)])
def test_silence_and_broken_lines_are_temporary(smarthosts, step, does, words):
    sink = smarthosts(replies={step: does})
    outcome = send(sink, limits=SHORT if step != "dot" else Limits(reply=0.3, whole=1))
    if step == "QUIT":  # what was answered before stands
        assert outcome.state == "sent"
    else:
        assert outcome.state == "temporary"
        assert outcome.at == STEPS[step]
        assert outcome.reply in words
        assert not outcome.ours


@pytest.mark.row("R23")
@pytest.mark.parametrize("step", [*STEPS, "QUIT"])
def test_a_server_that_drips_holds_nobody(smarthosts, step):
    """Every read gets its line in time: only the limit on the whole conversation ends it."""
    outcome = send(smarthosts(replies={step: DRIP}), limits=Limits(reply=5, whole=0.5))
    assert outcome.state == ("sent" if step == "QUIT" else "temporary")
    assert step == "QUIT" or outcome.reply == "timed out"


def test_nobody_listens(smarthost):
    smarthost.close()
    outcome = send(smarthost)
    assert outcome == Outcome("temporary", "connection refused", "connect")
    assert outcome.meets_all


ODD = ["nonsense", " ", "25", "999 what", "099 what", "-25 what", "250" * 4000, "334 go on", "150 wait", "3.5 x"]


@pytest.mark.parametrize("reply", ODD)
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "dot"])
def test_an_answer_out_of_place_is_temporary(smarthosts, step, reply):
    outcome = send(smarthosts(replies={step: reply}))
    assert outcome.state == "temporary"
    assert outcome.at == STEPS[step]
    assert outcome.reply in {"unreadable answer", "334"}


def test_a_positive_answer_to_data_itself_is_no_acceptance(smarthosts):
    assert send(smarthosts(replies={"DATA": "250 2.0.0 thanks"})).state == "temporary"


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("250", "250"), ("250 ok", "250"),
        ("250-2.0.0 one\r\n250 2.0.0 two", "250 2.0.0"), ("251 2.1.5 x", "251 2.1.5"),
        ("250 2.0.0.1 x", "250"), ("250 2.1.5\xe9 x", "250 2.1.5"), ("252 9.9.9 x", "252"), ("250 2.0.00000 x", "250"),
    ],
)  # fmt: skip
def test_only_numbers_of_an_answer_are_kept(smarthosts, said, reply):
    assert send(smarthosts(replies={"dot": said})) == Outcome("sent", reply, "data")


@pytest.mark.row("R24")
@pytest.mark.parametrize("does", [CLOSE, RESET])
def test_an_unknown_outcome_is_sent_again_the_same(smarthost, does):
    smarthost.replies["dot"] = does
    assert send(smarthost).state == "temporary"
    smarthost.replies.clear()
    assert send(smarthost).state == "sent"
    assert [mail.data for mail in smarthost.taken] == [RAW, RAW]  # one Message-ID: the other side may drop one


@pytest.mark.row("R25")
def test_one_recipient_a_handover(smarthost):
    smarthost.replies["RCPT"] = "550 5.1.1 no"
    assert send(smarthost, to="gone@vendor.example").state == "permanent"
    smarthost.replies.clear()
    assert send(smarthost, to="here@vendor.example").state == "sent"
    assert [mail.rcpt for mail in smarthost.taken] == [(b"TO:<here@vendor.example>",)]


# ---- TLS and login --------------------------------------------------------------------------------------------------


@pytest.fixture
def trusted(monkeypatch, certificate):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert))
    return certificate


@pytest.mark.parametrize(("scheme", "implicit"), [("smtps", True), ("smtp+starttls", False)])
def test_tls_and_login(smarthosts, trusted, scheme, implicit):
    sink = smarthosts(tls=trusted.server(), implicit=implicit, login=("relay", "p@ss/word"))
    assert send(sink, scheme=scheme, login="relay:p%40ss%2Fword@").state == "sent"
    assert [(mail.tls, mail.user, mail.data) for mail in sink.taken] == [(True, "relay", RAW)]


@pytest.mark.parametrize(("scheme", "implicit"), [("smtps", True), ("smtp+starttls", False)])
def test_a_wrong_password_is_ours_and_temporary(smarthosts, trusted, scheme, implicit):
    sink = smarthosts(tls=trusted.server(), implicit=implicit, login=("relay", "right"))
    outcome = send(sink, scheme=scheme, login="relay:wrong-password@")
    assert outcome == Outcome("temporary", "535 5.7.8", "auth", ours=True)
    assert sink.taken == []


@pytest.mark.parametrize(("scheme", "implicit", "at"), [("smtps", True, "tls"), ("smtp+starttls", False, "starttls")])
@pytest.mark.parametrize("wrong", ["nobody vouches for it", "another host's"])
def test_a_certificate_is_checked(smarthosts, certificate, monkeypatch, tmp_path, wrong, scheme, implicit, at):
    other = make_certificate(tmp_path, "elsewhere.example")
    used = certificate if wrong == "nobody vouches for it" else other
    monkeypatch.setenv("SSL_CERT_FILE", str(other.cert))
    sink = smarthosts(tls=used.server(), implicit=implicit, login=("relay", "secret"))
    outcome = send(sink, scheme=scheme, login="relay:secret@")
    assert outcome == Outcome("temporary", "certificate not trusted", at, ours=True)
    assert all(command.upper().startswith((b"EHLO", b"STARTTLS")) for command in sink.commands)


def test_no_starttls_no_letter(smarthosts, trusted):
    outcome = send(smarthosts(), scheme="smtp+starttls")
    assert outcome == Outcome("temporary", "not offered by the server", "starttls", ours=True)


@pytest.mark.parametrize("said", ["454 4.7.0 not now", "501 5.5.2 no"])
def test_starttls_refused(smarthosts, trusted, said):
    sink = smarthosts(tls=trusted.server(), replies={"STARTTLS": said})
    outcome = send(sink, scheme="smtp+starttls")
    assert (outcome.state, outcome.reply, outcome.at) == ("temporary", said[:9], "starttls")
    assert [command.upper()[:4] for command in sink.commands] == [b"EHLO", b"STAR"]


@pytest.mark.row("S03")
def test_nothing_said_before_tls_counts_after_it(smarthosts, trusted):
    """A man in the middle slips a reply in behind the plain 220: it must not answer what is asked under TLS."""
    sink = smarthosts(tls=trusted.server(), replies={"STARTTLS": "220 go on\r\n554 5.0.0 forged"})
    outcome = send(sink, scheme="smtp+starttls")
    # In one segment it is thrown away, in a segment of its own it breaks the handshake.
    assert outcome in {Outcome("sent", "250 2.0.0", "data"), Outcome("temporary", "TLS failed", "starttls")}
    assert all(mail.tls for mail in sink.taken)


def test_a_server_that_speaks_no_tls(smarthosts, trusted):
    outcome = send(smarthosts(), scheme="smtps", limits=Limits(reply=2, whole=10))
    assert outcome == Outcome("temporary", "TLS failed", "tls")


def test_starttls_answered_with_anything_but_220(smarthosts, trusted):
    sink = smarthosts(tls=trusted.server(), replies={"STARTTLS": "250 2.0.0 ok, but no"})
    assert send(sink, scheme="smtp+starttls") == Outcome("temporary", "250 2.0.0", "starttls")
    assert sink.taken == []


def test_a_login_that_is_not_offered(smarthosts, trusted):
    outcome = send(smarthosts(tls=trusted.server()), scheme="smtp+starttls", login="relay:secret@")
    assert outcome == Outcome("temporary", "not offered by the server", "auth", ours=True)


# ---- settings, probe, backoff ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("smtp://mx.example", "Server(mx.example:25, tls=none, without login)"),
        ("smtp://mx.example:2525/", "Server(mx.example:2525, tls=none, without login)"),
        ("smtp://[::1]:25", "Server(::1:25, tls=none, without login)"),
        ("smtps://u:p@mx.example", "Server(mx.example:465, tls=implicit, with login)"),
        ("smtp+starttls://u%40x:p%3Aq@mx.example", "Server(mx.example:587, tls=starttls, with login)"),
        ("smtp://mx.müller.example", "Server(mx.xn--mller-kva.example:25, tls=none, without login)"),
    ],
)
def test_a_url_names_a_smarthost(url, shown, tmp_path):
    made = relay.make(url, tmp_path)
    assert isinstance(made, Smarthost)
    assert repr(made._server) == shown
    assert not made.nobody_receives


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "not understood"), ("mx.example", "not understood"), ("http://mx.example", "not understood"),
        ("smtp://", "not understood"), ("smtp://mx.example:0x", "not understood"),
        ("smtp://mx.example:99999", "not understood"),
        ("smtp://.example", "not understood"), (f"smtp://{'a' * 64}.example", "not understood"),
        ("smtp://[::1", "not understood"), ("smtps://u:s3cret@mx.example/path", "nothing may follow the host"),
        ("smtps://u:s3cret@mx.example?x=1", "nothing may follow the host"), ("smtps://u@mx.example", "belong together"),
        ("smtps://:s3cret@mx.example", "belong together"), ("smtps://u:s3cr%C3%A9t@mx.example", "must be ASCII"),
        ("smtp://u:s3cret@mx.example", "in clear"), ("maildir:", "no folder"), ("maildir://x", "no folder"),
    ],
)  # fmt: skip
def test_a_url_is_refused_in_one_line_without_the_password(url, says, tmp_path):
    with pytest.raises(Refused) as refused:
        relay.make(url, tmp_path)
    text = str(refused.value)
    assert says in text
    assert text.startswith("relay.url")
    assert "\n" not in text
    assert "s3cr" not in text
    assert refused.value.__cause__ is None


def test_probe_says_fine_or_why(smarthosts, trusted):
    sink = smarthosts(tls=trusted.server(), login=("relay", "secret"))
    assert host(sink, "smtp+starttls", "relay:secret@").probe() == ""
    assert sink.taken == []
    assert host(sink, "smtp+starttls", "relay:wrong@").probe() == "535 5.7.8 at auth (our relay settings are refused)"
    sink.close()
    assert host(sink).probe() == "connection refused at connect"


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_stays_between_a_minute_and_an_hour(attempt, jitter):
    waits = relay.backoff(attempt, jitter)
    assert timedelta(minutes=1) <= waits <= timedelta(hours=1)
    assert waits <= relay.backoff(attempt + 1, jitter)


def test_backoff_grows_to_the_hour():
    minutes = [relay.backoff(attempt, 0) / timedelta(minutes=1) for attempt in range(1, 9)]
    assert minutes == [1, 2, 4, 8, 16, 30, 30, 30]
    assert relay.backoff(8, 1) == timedelta(hours=1)
    assert timedelta(days=5) == relay.FIVE_DAYS


@pytest.mark.parametrize(("attempt", "jitter"), [(0, 0.5), (-1, 0.5), (1, -0.1), (1, 1.1)])
def test_backoff_refuses_nonsense(attempt, jitter):
    with pytest.raises(ValueError, match="attempt counts from 1"):
        relay.backoff(attempt, jitter)


# ---- the maildir ----------------------------------------------------------------------------------------------------


def test_the_maildir_keeps_exact_bytes_once(tmp_path):
    made = relay.make("maildir:outgoing", tmp_path)
    assert isinstance(made, Maildir)
    assert made.nobody_receives
    assert made.probe() == ""
    for _ in range(2):  # a letter handed over again is the same file
        assert made.send(RAW, SENDER, TO) == Outcome("sent", "stored", "maildir")
    [file] = (tmp_path / "outgoing/new").iterdir()
    assert file.read_bytes() == RAW
    assert file.stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "outgoing/tmp").iterdir()) == []
    [mail] = mailbox.Maildir(tmp_path / "outgoing", create=False)
    assert mail["Message-ID"] == "<1@cert.example>"


def test_the_maildir_tells_letters_apart(tmp_path):
    made = Maildir(tmp_path)
    raws = [RAW, RAW.replace(b"<1@", b"<2@"), b"\r\nno header\r\n", b"Message-ID: \xff\r\n\r\n", b"X: y\r\n\r\n"]
    assert all(made.send(raw, SENDER, TO).state == "sent" for raw in raws)
    assert sorted(file.read_bytes() for file in (tmp_path / "new").iterdir()) == sorted(raws)


def test_an_absolute_maildir_lies_where_it_says(tmp_path):
    made = relay.make(f"maildir:{tmp_path}/there", Path("/nonexistent"))
    assert made.send(RAW, SENDER, TO).state == "sent"
    assert (tmp_path / "there/new").is_dir()


def test_a_maildir_that_cannot_be_written_is_temporary(tmp_path):
    (tmp_path / "file").touch()
    made = Maildir(tmp_path / "file" / "outgoing")
    assert made.send(RAW, SENDER, TO) == Outcome("temporary", "ENOTDIR", "maildir")
    assert made.probe() == "ENOTDIR at maildir"


def test_a_maildir_without_room_is_temporary_and_leaves_nothing(tmp_path):
    """RLIMIT_FSIZE is the portable full disk: the write fails with an error of its own."""
    code = (
        "import resource, signal, sys; from pathlib import Path; from mailrouter.relay import Maildir\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "print(Maildir(Path(sys.argv[1])).send(b'X: y\\r\\n\\r\\n' + b'x' * 9000 + b'\\r\\n', '', 'a@b.example'))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, timeout=60, check=True)
    assert done.stdout.strip() == b"EFBIG at maildir"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_maildir_is_durable_before_it_says_sent(tmp_path):
    code = (
        "import sys; from pathlib import Path; from mailrouter.relay import Maildir\n"
        "Maildir(Path(sys.argv[1])).send(b'Message-ID: <1@x>\\r\\n\\r\\n\\r\\n', '', 'a@b.example')"
    )
    trace = tmp_path / "trace"
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2"
    strace = [program("strace", "strace"), "-f", "-y", "-e", calls, "-o", trace]
    subprocess.run([*strace, sys.executable, "-c", code, tmp_path / "out"], check=True, capture_output=True, timeout=60)
    lines = [line for line in trace.read_text().splitlines() if str(tmp_path) in line]
    assert [re.search(r"(fsync|rename)", line)[1] for line in lines] == ["fsync", "rename", "fsync"]
    assert "/out/tmp/" in lines[0]
    assert lines[2].rstrip().endswith("= 0")
    assert "/out/new>" in lines[2]
