"""What the doors say: constants all (RFC 5321 4.2, RFC 3463).

Promises: no reply holds a word of the client's, an address, a number of a case or the text of an exception, so that the
replies to a known and an unknown sender, a right and a wrong VU#, are equal byte for byte.
"""

READY = "354 End with CR LF . CR LF"
BYE = "221 2.0.0 Bye"
OK = "250 2.0.0 Ok"
SENDER_OK = "250 2.1.0 Ok"
RECIPIENT_OK = "250 2.1.5 Ok"
STORED = "250 2.0.0 Stored"
NOT_TELLING = "252 2.1.5 Send the mail and see"

LATER = "451 4.3.0 Try again later"
NO_ROOM = "452 4.3.1 Not enough room now, try again later"
TOO_FAST = "450 4.7.1 Too many mails in a minute, try again later"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients, send the rest again"

CLOSING = "421 4.3.2 Closing, try again later"
TIMED_OUT = "421 4.4.2 Too slow, closing"
TALKS_TOO_SOON = "421 4.7.0 Spoke out of turn, closing"
TOO_MANY_CONNECTIONS = "421 4.7.0 Too many connections, try again later"
TOO_MANY_ERRORS = "421 4.7.0 Too many errors, closing"
TOO_MANY_COMMANDS = "421 4.7.0 Too many commands, closing"
TOO_MANY_MAILS = "421 4.7.0 Enough for one session, connect again"

UNRECOGNISED = "500 5.5.1 Command not recognised"
BARE_LF = "500 5.5.2 A command ends with CR LF"
COMMAND_TOO_LONG = "500 5.5.2 Command too long"
LINE_TOO_LONG = "500 5.6.0 A line of the mail is too long"
BAD_ADDRESS = "501 5.1.3 Malformed address"
BAD_ARGUMENT = "501 5.5.4 Malformed or missing argument"
NOT_IMPLEMENTED = "502 5.5.1 Command not implemented"
HELLO_FIRST = "503 5.5.1 Say hello first"
OUT_OF_ORDER = "503 5.5.1 Command out of order"
BARE_LINE_END = "521 5.6.0 Bare CR or LF in the mail, closing"
NOBODY_HERE = "550 5.1.1 No such recipient here"
TOO_BIG = "552 5.3.4 Mail is too big"
UNKNOWN_PARAMETER = "555 5.5.4 Parameter not implemented"

LAST_WORDS = ("221", "421", "521")  # after a reply with one of these codes we hang up
