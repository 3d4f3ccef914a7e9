"""Mailboxes on an IMAP server (RFC 9051, and what is left of RFC 3501): one logged-in session, and a quick look.

`session` alone knows aioimaplib; `answers` reads what a server says; `look` is for those who only want to know how many
messages are where.
"""
