"""Where each form of a note stands on the site, as CERT/CC's readers know it: relative, without a slash before it."""

import re

from mailrouter.case.note import Edition
from mailrouter.case.vuid import VuId

FEED = "vuls/atom.xml"


def page(vu: int) -> str:
    """The page for people."""
    return f"vuls/id/{vu}"


def json(vu: int) -> str:
    """The note as JSON; below it stand `vendors/`, `vuls/`, `vendors/vuls/` and `csaf/`."""
    return f"vuls/api/{vu}/"


def csaf_name(vu: int) -> str:
    """The only file name that CSAF 2.0 (5.1) allows for this document."""
    return re.sub(r"[^+\-a-z0-9]+", "_", str(VuId(vu)).lower()) + ".json"


def csaf(edition: Edition) -> str:
    """The CSAF document's own address: in a folder for the year it was first published in (CSAF 2.0, 7.1.14)."""
    return f"csaf/{edition.first_published_at.year}/{csaf_name(edition.note.vu)}"
