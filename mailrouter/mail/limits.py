"""How much of one mail is looked at (testbook/mail.md, "Limits"). What is beyond is cut and named as a defect.

`over-limit:<what>`: the mail as a whole is beyond what an honest sender needs, and a person decides about it.
`cut:<what>`: only that field or text is long; the rest of it is opaque to us, and nothing is parked for it.
"""

MESSAGE = 25 * 1024 * 1024  # bytes
HEADER_BLOCK = 64 * 1024  # bytes, from the first header to the empty line
HEADER = 8 * 1024  # bytes of one header after unfolding
ADDRESS_HEADER = 2 * 1024  # bytes of From, To, Cc, Reply-To that are parsed
HEADERS = 500
RECEIVED = 50
PARTS = 200
DEPTH = 20
BOUNDARY = 70  # characters, RFC 2046 section 5.1.1
FILENAME = 255  # characters
ATTACHMENTS = 100
TEXT = 1024 * 1024  # bytes of text, and as much of HTML, read for showing and searching; the raw mail keeps all
REFERENCES = 100  # message ids kept, the newest
MESSAGE_ID = 998  # characters, one line of RFC 5322

OVER = "over-limit:"
CUT = "cut:"
