"""A published note in the forms that others read: plain text, CERT/CC's JSON, CSAF, Atom, CVE records.

Each module gives one form of one `Edition` and is pure: the same edition, the same document. Nothing here knows who is
hidden: they are not in a note. Texts of vendors are passed on as they are, whatever they hold, in such a way that the
form stays valid and nothing in them passes for ours.
"""
