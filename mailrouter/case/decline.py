"""Why we do not take up a report: each reason by its name, with what the reporter is told and can still do.

After the seeds (000, "How does the CERT/CC decide", "What if the CERT/CC declines my report?"; 001) and DOMAIN.md,
process 2. No sentence here names a case, a vendor or another reporter. A decline is no end: a report that is INVALID or
DEFERRED may be accepted later.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mailrouter import faults
from mailrouter.case import lifecycle

INVALID, DEFERRED, CLOSED = ("invalidate",), ("validate", "defer"), ("invalidate", "close")

ASK_VENDOR = (
    "Ask the vendor or maintainer, if you have not: say what you found, and which date you need a fix by."
    " Two weeks are a usual time to wait for a first answer."
)
ASK_OPERATOR = "Ask those who run it: many name an address for this in /.well-known/security.txt (RFC 9116)."
PUBLISH = (
    "Publish it yourself, if the vendor does not act though you acted responsibly. Please write what people need to"
    " understand the problem and to protect themselves, and no full proof of concept that can be misused."
)
AGREE = "Agree with the vendor on a day on which both publish, and show each other what you will publish before it."
CVE = "Ask for a CVE ID: the vendor, if it assigns its own, else MITRE, at https://cveform.mitre.org/"
MORE = "Send us what is missing, in an answer to this letter: we look at the report again."
SILENT = "Write to us again, in an answer to this letter, if the vendor stays silent for two weeks or stops answering."
DISAGREE = "Tell us, in an answer to this letter, if you believe that we are wrong, and what shows it."


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason."""

    means: str  # to analysts, in a few words
    moves: tuple[str, ...]  # of the report (RM), from RECEIVED
    because: str  # to the reporter; '' : no letter is sent
    can: tuple[str, ...] = ()  # what the reporter can still do


REASONS: Mapping[str, Reason] = {
    "low-score": Reason(
        "its CVSS environmental score is low",
        DEFERRED,
        "By its CVSS environmental score it harms few, or harms little: for example because the software is not widely"
        " used. We have to leave such reports to their reporters and vendors.",
        (ASK_VENDOR, PUBLISH, CVE),
    ),
    "no-evidence": Reason(
        "no proof of concept, no steps, no patch",
        INVALID,
        "We found no evidence in it that we could act on: a proof of concept, steps that show the problem, or a"
        " suggested patch.",
        (MORE, ASK_VENDOR),
    ),
    "only-cve": Reason(
        "only a CVE ID is wanted",
        DEFERRED,
        "It asks for a CVE ID only. We assign CVE IDs for the vulnerabilities that we coordinate.",
        (CVE,),
    ),
    "only-publication": Reason(
        "only publication is wanted",
        DEFERRED,
        "It asks for publication only. We publish about the vulnerabilities that we coordinate.",
        (PUBLISH, CVE),
    ),
    "already-coordinated": Reason(
        "somebody coordinates it already",
        DEFERRED,
        "It is coordinated already, and a second coordinator would not help those who work on it.",
        (AGREE, SILENT),
    ),
    "vendor-not-contacted": Reason(
        "nobody has told the vendor yet",
        DEFERRED,
        "As far as we see, the vendor has not been told yet. Most vendors answer, and then nobody is needed between you"
        " and them.",
        (ASK_VENDOR, SILENT),
    ),
    "vendor-cooperating": Reason(
        "the vendor works on it with them",
        DEFERRED,
        "As far as we see, the vendor answers you and works on it. Then nobody is needed between you and them.",
        (AGREE, SILENT),
    ),
    "live-website": Reason(
        "one website or service",
        DEFERRED,
        "It concerns one website or service, which only those who run it can mend. We coordinate vulnerabilities in"
        " products that others run.",
        (ASK_OPERATOR,),
    ),
    "limited-resources": Reason(
        "we have no time for it",
        DEFERRED,
        "Our time is limited, and other reports need it more. This says nothing against yours.",
        (ASK_VENDOR, PUBLISH, CVE),
    ),
    "already-fixed": Reason(
        "it is fixed already",
        DEFERRED,
        "As far as we see, it is fixed in a release that everybody can have.",
        (DISAGREE, PUBLISH, CVE),
    ),
    "duplicate": Reason(
        "another report says the same",
        DEFERRED,
        "We know of it already, from another report.",
        (DISAGREE, ASK_VENDOR),
    ),
    "not-a-vulnerability": Reason(
        "no security boundary is crossed",
        INVALID,
        "We do not see that an attacker gains anything by it that they should not have.",
        (DISAGREE, ASK_VENDOR),
    ),
    "spam": Reason("no report at all; no letter is sent", CLOSED, ""),
}
WITH_ORIGINAL = "duplicate"  # it says of which
MOST_WAYS = max(len(reason.can) for reason in REASONS.values())
ACCEPT: Mapping[str, tuple[str, ...]] = {
    "START": ("receive", "validate", "accept"),
    "RECEIVED": ("validate", "accept"),
    "INVALID": ("validate", "accept"),
}


def named(name: str) -> Reason:
    """The reason of that name. `Refused` lists those there are."""
    if name not in REASONS:
        raise faults.Refused(f"no reason is named {name!r}; there are {', '.join(REASONS)}")
    return REASONS[name]


def declined(rm: str, name: str) -> list[str]:
    """The states a report passes through when declined, the last one last. `Illegal` names a move that is none."""
    moves = named(name).moves
    known_valid = rm == "VALID" and moves[0] == "validate"
    return _passed(rm, moves[known_valid:])


def accepted(rm: str) -> list[str]:
    """The same, when it is accepted: also after a decline."""
    return _passed(rm, ACCEPT.get(rm, ("accept",)))


def _passed(rm: str, moves: tuple[str, ...]) -> list[str]:
    states = [rm]
    for verb in moves:
        states.append(lifecycle.move(lifecycle.REPORT, verb, states[-1]))
    return states[1:]
