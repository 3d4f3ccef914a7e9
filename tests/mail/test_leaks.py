"""The search for what must not be said: never missed, however it is written; nothing found where nothing is."""

import base64
import quopri
import time
from collections.abc import Callable
from email.header import Header
from functools import partial
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import disguises, leaks, needles
from mailrouter.mail.leaks import Finding, Index, Kind, Needle
from mailrouter.mail.needles import Known

KEY = "0123456789ABCDEF0123456789ABCDEF89ABCDEF"
HIDDEN = Known(
    owner=1, anonymous=True, names=["Ächme Widgets GmbH"], people=["Roe, Jane"], addresses=["psirt@achme.example"],
    domains=["achme-mail.example"], keys=[KEY], user_ids=["Jim Doe (Ächme) <jim@doe.example>"],
    message_ids=["a.1b2c$77@mx.achme.example"], references=["ACH-4411"], telephones=["+49 30 9876543-21"],
    replies=["abcdefghij234567"],
)  # fmt: skip
OPEN = Known(
    owner=2, anonymous=False, names=["Bolt Inc."], people=["Max Poe"], addresses=["security@bolt.example"],
    domains=["bolt.example"], keys=["F" * 20 + "ABCDEF0123" * 2], message_ids=["zz99@bolt.example"],
    references=["BOLT-7"], telephones=["+1 555 010 9999"],
)  # fmt: skip
OURS = (
    Needle(Kind.ADDRESS, leaks.OURS, "cert@cert.example"),
    Needle(Kind.DOMAIN, leaks.OURS, "cert.example"),
    Needle(Kind.NAME, leaks.OURS, "Our CERT"),
)
INDEX = Index([*OURS, *needles.of(HIDDEN), *needles.of(OPEN)])
CLEAN = "We look into it, and answer\nby Friday. See https://cert.example/policy and write\nto cert@cert.example: 12 %."


def found(text: str, recipient: int = 3, index: Index = INDEX) -> list[Finding]:
    """What a body would tell this recipient."""
    return leaks.findings(index, index.scan(disguises.readings(text)), recipient, "the body")


def kinds(text: str, recipient: int = 3) -> set[tuple[Kind, int]]:
    """The same, without the places."""
    return {(one.kind, one.owner) for one in found(text, recipient)}


# ---- each kind ------------------------------------------------------------------------------------------------------

SAID = [
    ("Ächme Widgets GmbH", Kind.NAME), ("Ächme Widgets", Kind.NAME), ("ächme-widgets", Kind.NAME),
    ("Jane Roe", Kind.PERSON), ("Roe, Jane", Kind.PERSON), ("Jim Doe", Kind.PERSON),
    ("psirt@achme.example", Kind.ADDRESS), ("PSIRT at Achme dot Example", Kind.ADDRESS),
    ("psirt (at) achme [dot] example", Kind.ADDRESS), ("jim@doe.example", Kind.ADDRESS),
    ("achme-mail.example", Kind.DOMAIN), ("https://www.achme.example/x", Kind.DOMAIN),
    (KEY, Kind.KEY), (KEY.lower(), Kind.KEY), (KEY[-16:], Kind.KEY), (f"0x{KEY[-8:]}", Kind.KEY),
    (" ".join(KEY[i : i + 4] for i in range(0, 40, 4)), Kind.KEY),
    (":".join(KEY[i : i + 2] for i in range(0, 40, 2)), Kind.KEY),
    ("<a.1b2c$77@mx.achme.example>", Kind.MESSAGE_ID), ("ach-4411", Kind.REFERENCE),
    ("030 / 9876543-21", Kind.TELEPHONE), ("(+49) 30-98 76 54 321", Kind.TELEPHONE),
    ("cert+vu123456.abcdefghij234567@cert.example", Kind.REPLY),
]  # fmt: skip


@pytest.mark.row("A02")
@pytest.mark.parametrize(("said", "kind"), SAID)
def test_everything_of_somebody_anonymous_is_hard(said: str, kind: Kind) -> None:
    hits = found(f"{CLEAN}\nThey wrote: {said}, and we agree.")
    assert (kind, 1) in {(one.kind, one.owner) for one in hits}
    assert {(one.where, one.hard) for one in hits} == {("the body, line 4", True)}
    assert found(f"They wrote: {said}, and we agree.", recipient=1) == []


@pytest.mark.parametrize(
    ("said", "kind", "hard"),
    [("Bolt Inc.", Kind.NAME, False), ("BOLT", Kind.NAME, False), ("x@mail.bolt.example", Kind.DOMAIN, False),
     ("security@bolt.example", Kind.ADDRESS, True), ("<zz99@bolt.example>", Kind.MESSAGE_ID, True),
     ("F" * 20 + "ABCDEF0123" * 2, Kind.KEY, True)],
)  # fmt: skip
def test_of_all_others_names_and_domains_are_soft_and_the_rest_is_hard(said: str, kind: Kind, hard: bool) -> None:
    assert {(one.kind, one.owner, one.hard) for one in found(said)} >= {(kind, 2, hard)}
    assert found(said, recipient=2) == []


def test_of_all_others_people_references_and_telephones_are_no_needles() -> None:
    assert found("Max Poe of +1 555 010 9999 said Bolted") == []


# ---- never missed ---------------------------------------------------------------------------------------------------

LETTERS = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=3, max_size=12)
NAMES = st.lists(LETTERS, min_size=1, max_size=3).map(" ".join)
UNSEEN = st.sampled_from(["\u200b", "\u00ad", "\u2060", "\ufeff", "\u202e", "\u200d", "\u00ad\u200b"])
CASES: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([str.upper, str.lower, str.title, str.swapcase, str])


def broken(text: str, data: st.DataObject) -> str:
    """The same to a reader: invisible characters in it, blanks wrapped, words broken behind a hyphen, or quoted."""
    made = []
    for one in text:
        if one == " ":
            made.append(data.draw(st.sampled_from([" ", "\n", "\n> ", "  ", "\u00a0", "\r\n", "\n\t"])))
        else:
            made.append(one + data.draw(st.one_of(st.just(""), st.just(""), UNSEEN)))
    if len(made) > 3 and data.draw(st.booleans()):
        made.insert(2, "-\n") if made[1][0].isalnum() and made[2][0].isalnum() else None
    return "".join(made)


@pytest.mark.row("A02")
@given(NAMES, CASES, st.data())
def test_a_name_is_never_missed(name: str, case: Callable[[str], str], data: st.DataObject) -> None:
    index = Index([Needle(Kind.NAME, 1, name), *needles.of(OPEN)])
    before, after = (
        data.draw(st.sampled_from(["", "Dear ", "(", "--", "a, "])),
        data.draw(st.sampled_from(["", ".", "'s", " is"])),
    )
    said = f"Line one\n{before}{broken(case(name), data)}{after}\nLine three"
    assert (Kind.NAME, 1) in {(one.kind, one.owner) for one in found(said, index=index)}, said


LOCAL = st.text("abcxyz0189", min_size=1, max_size=8)
ADDRESSES = st.tuples(LOCAL, LOCAL, st.sampled_from(["example", "co.example", "test"])).map(
    lambda p: f"{p[0]}@{p[1]}.{p[2]}"
)
SPELT: st.SearchStrategy[Callable[[str], str]] = st.sampled_from([
    lambda a: a.replace("@", " at ").replace(".", " dot "), lambda a: a.replace("@", "[at]").replace(".", "[dot]"),
    lambda a: a.replace("@", " (at) "), lambda a: a.replace("@", "@\n> "), lambda a: a.upper(), lambda a: f"mailto:{a}",
    lambda a: quote(a, safe=""), lambda a: a.replace("@", "&#64;").replace(".", "&period;"),
    lambda a: a.replace("@", "&commat;"), lambda a: "".join(f"%{ord(c):02x}" for c in a),
    lambda a: a.replace("@", "\uff20"),
    lambda a: a[0] + "<b>" + a[1:] + "</b>", lambda a: a.replace("@", "%2540"),
])  # fmt: skip


@pytest.mark.row("A02")
@given(ADDRESSES, SPELT)
def test_an_address_is_never_missed(address: str, spelt: Callable[[str], str]) -> None:
    index = Index([Needle(Kind.ADDRESS, 1, address)])
    assert [one.owner for one in found(f"Ask\nthem: {spelt(address)}\nfor more", index=index)] == [1]


@given(
    st.text("0123456789ABCDEF", min_size=40, max_size=40),
    st.integers(1, 39),
    st.sampled_from([" ", "\n> ", ":", "  \n", "-"]),
)
def test_a_fingerprint_is_never_missed_in_whatever_groups(digits: str, group: int, between: str) -> None:
    index = Index(needles.of(Known(1, anonymous=False, keys=[digits])))
    said = between.join(digits[i : i + group] for i in range(0, 40, group))
    assert {one.kind for one in found(said, index=index)} == {Kind.KEY}
    assert found("".join(reversed(digits[:7])), index=index) == []


ENCODED: list[Callable[[str], str]] = [
    lambda t: quopri.encodestring(t.encode(), quotetabs=True).decode(),
    lambda t: base64.encodebytes(f"Dear all, \n{t}".encode()).decode(),
    lambda t: "> " + base64.encodebytes(f"Dear all, \n{t}".encode()).decode().replace("\n", "\n> "),
    lambda t: Header(t, "utf-8").encode(),
    lambda t: Header(t, "iso-8859-1").encode(),
    lambda t: "".join(f"&#x{ord(c):x};" for c in t),
    lambda t: quote(t),
]


@pytest.mark.row("A02")
@pytest.mark.parametrize("encode", ENCODED)
@pytest.mark.parametrize("said", ["Ächme Widgets", "psirt@achme.example"])
def test_what_is_encoded_is_decoded(said: str, encode: Callable[[str], str]) -> None:
    text = encode(said)
    hits = found(f"Forwarded:\n\n{text}\n")
    assert hits
    assert all(one.hard and one.where.startswith("the body, line ") for one in hits)


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("around", [b"", b"\x89\0\xff\xfe\0"])
def test_files_are_searched_as_text_in_their_charset_and_as_bytes(charset: str, around: bytes) -> None:
    content = around + "x\nthe finder is psirt@achme.example \n".encode(charset)
    hits = leaks.findings(INDEX, INDEX.scan(disguises.of_bytes(content)), 3, "attachment 1")
    assert (Kind.ADDRESS, 1) in {(one.kind, one.owner) for one in hits}


def test_a_key_id_in_a_signature_is_found_as_the_bytes_it_is() -> None:
    packet = b"\x89\x01\x33\x04\x00" + bytes.fromhex(KEY[-16:]) + b"\x00\xff"
    for content in (packet, base64.encodebytes(packet * 4)):
        hits = leaks.findings(INDEX, INDEX.scan(disguises.of_bytes(content)), 3, "attachment 1")
        assert {(one.kind, one.owner) for one in hits} == {(Kind.KEY, 1)}


@given(st.binary(max_size=300), st.text(max_size=300))
def test_no_bytes_and_no_text_stop_the_search(content: bytes, text: str) -> None:
    INDEX.scan(disguises.of_bytes(content))
    found(text)


def test_what_stands_across_two_pieces_of_a_long_text_is_found_with_its_line() -> None:
    line = "x" * 1023 + "\n"
    for near in (-30, -8, 0, 5):
        rows = [line] * 511 + ["y" * (1024 + near) + "\n", "Ächme\nWidgets\n", *[line] * 3]
        assert {one.where for one in found("".join(rows)) if one.kind is Kind.NAME} == {"the body, line 513"}


# ---- nothing where nothing is ---------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("bcdfghjklmnpqrstvwxyz \n.@-"), max_size=400))
def test_nothing_is_found_in_clean_text(noise: str) -> None:
    assert found(f"{CLEAN}\n{noise}") == []  # none of the needles does without an a, e, i, o, u or a digit


@pytest.mark.parametrize(
    ("name", "text"),
    [("Sun", "the sunny Sunday, s un"), ("IT", "it is IT-like: fit, i t"), ("Canon", "we can on Monday; canonical"),
     ("AT&T", "look at T-shirts, att"), ("Vendor", "Dear vendor"), ("The Security Team", "the security team"),
     ("X", "x-ray, X1"), ("Go To", "the goto statement"[:8])],
)  # fmt: skip
def test_a_name_is_found_as_a_whole_word_only(name: str, text: str) -> None:
    index = Index(needles.of(Known(1, anonymous=True, names=[name])))
    assert [one.where for one in found(text, index=index)] == (["the body, line 1"] if name == "IT" else []), text


@pytest.mark.parametrize("text", ["ask Sun about it", "sun.", "(SUN)", "sun_poc.c", "sun's", "su-\nn"])
def test_a_common_word_is_found_as_a_whole_word(text: str) -> None:
    assert found(text, index=Index(needles.of(Known(1, anonymous=True, names=["Sun"]))))


def test_names_of_two_letters_are_found_as_they_are_written_only() -> None:
    index = Index(needles.of(Known(1, anonymous=True, names=["HP"])))
    assert [one.where for one in found("hp is not\nHP, hp-ux", index=index)] == ["the body, line 2"]


def test_names_in_scripts_without_blanks_need_none() -> None:
    index = Index(needles.of(Known(1, anonymous=True, names=["日本電気"])))
    assert found("これは日本電気です", index=index)


def test_what_is_the_recipients_own_or_ours_is_no_leak_nor_what_stands_within_it() -> None:
    index = Index([
        *OURS, *needles.of(Known(1, anonymous=True, names=["Acme"], domains=["example"])),
        *needles.of(Known(2, anonymous=False, names=["Acme Labs"], addresses=["x@acme.example"])),
        *needles.of(Known(4, anonymous=True, people=["Jane Roe"])),
        *needles.of(Known(5, anonymous=True, people=["Jane Roe"])),
    ])  # fmt: skip
    assert found("Dear Acme Labs, you write from x@acme.example\nto cert@cert.example", 2, index) == []
    assert [one.where for one in found("Dear Acme Labs,\nAcme says", 2, index)] == ["the body, line 2"]
    assert found("Dear Jane Roe", 4, index) == []
    assert len(found("Dear Jane Roe", 2, index)) == 2


def test_a_provider_where_everybody_has_an_address_gives_nobody_away() -> None:
    made = set(needles.of(Known(1, anonymous=True, addresses=["b33@gmail.com", "psirt@acme.example"])))
    assert {one.text for one in made if one.kind is Kind.DOMAIN} == {"acme.example"}


def test_a_name_in_another_alphabet_is_looked_for_in_both_spellings_of_its_domain() -> None:
    index = Index(needles.of(Known(1, anonymous=True, addresses=["a@xn--bcher-kva.example"])))
    assert {one.kind for one in found("a@bücher.example", index=index)} == {Kind.ADDRESS, Kind.DOMAIN}


@pytest.mark.parametrize(
    "said",
    [
        "token=" + base64.b64encode(b"x psirt@achme.example yy").decode() + ";",
        "see https://x.example/q/" + base64.urlsafe_b64encode(b"psirt@achme.example").decode(),
        "ids: " + b"psirt@achme.example".hex() + " and more",
        "psirt\\u0040achme.example", "psirt\\x40achme.example", "psirt@\u00e4chme.example",
    ],
)  # fmt: skip
def test_what_is_encoded_within_a_line_is_decoded(said: str) -> None:
    assert (Kind.ADDRESS, 1) in kinds(f"Hello,\nit says {said}")


@pytest.mark.parametrize("said", ["Achme Widgets", "Aechme Widgets", "\u00c1chm\u00e9 Widgets"])
def test_a_name_is_found_with_its_accents_or_without(said: str) -> None:
    assert (Kind.NAME, 1) in kinds(f"we heard from {said} of it")


def test_what_is_ones_own_in_one_piece_of_a_long_text_hides_nothing_in_another() -> None:
    index = Index([Needle(Kind.NAME, 1, "Vendor Acme"), Needle(Kind.NAME, 2, "Acme")])
    first = f"{'.' * len('Vendor ')}Acme".ljust(leaks._CHUNK, ".")
    assert [one.owner for one in found(f"{first}Vendor Acme", 1, index)] == [2]


# ---- hostile texts --------------------------------------------------------------------------------------------------

HOSTILE = [
    "A", "A ", "A" * 16 + "\n", "A" * 16 + "=\n", "> " + "A" * 16 + " ", "> ", "> > >\n", " ", "\t", "\n", " \n", "\r",
    "&#", "&#1;", "&amp", "%", "%4", "%41", "%25", "=", "=4", "=41", "= ", "=\n", "=?", "=?a?", "=?u?b?x?= ", "<",
    "<a ", "</a", "<a>", " at ", " dot ", "a at b dot ", "a@", "a@a.", "( at", "[", "-\n", "a-\n", "a\n> ", "1", "1 ",
    "555 ", "A:", "F", "F ", "Roe, ", "roe ", "bolt", "bolt ", "Bolt Inc.\n", "bolt.", "...", "_-_", "\u0301",
    "a\u0301", "\0",
]  # fmt: skip


def in_proportion(work: Callable[[int], object], small: int) -> bool:
    """Whether eight times the length costs far less than 64 times the processor's time: not just in one try of five,
    since what else this process does (its garbage, say) is counted too.
    """

    def cost(length: int) -> float:
        before = time.process_time()
        work(length)
        return time.process_time() - before

    return any(cost(8 * small) < 24 * max(cost(small), 0.01) for _ in range(5))


@pytest.mark.parametrize("tail", ["!", f"\x01{CLEAN} psirt at achme dot example, Bolt Inc. {KEY} 9876543-21"])
@pytest.mark.parametrize("part", HOSTILE)
def test_no_text_costs_more_than_its_length(part: str, tail: str) -> None:
    assert in_proportion(lambda length: found((part * length)[:length] + tail), 4_000)


@pytest.mark.parametrize("part", [" ", ",", ", ", "a ", "Inc ", " s. "])
def test_no_name_costs_more_than_its_length(part: str) -> None:
    assert in_proportion(lambda length: needles.names((part * length)[:length] + "x"), 4_000)


def test_of_many_lines_each_is_told_and_none_costs_more_for_the_others() -> None:
    index = Index([Needle(Kind.NAME, 1, "Vendor Acme"), Needle(Kind.NAME, 2, "Vendor Bolt")])
    told = partial(found, recipient=1, index=index)
    assert len(told("Vendor Acme and Vendor Bolt\n" * 1_000)) == 1_000
    assert in_proportion(lambda lines: told("Vendor Acme and Vendor Bolt\n" * lines), 1_000)


def test_base64_behind_words_and_wrapped_is_still_read() -> None:
    blob = base64.encodebytes(b"the reporter is Jane Roe of Berlin, and nobody shall know it; " * 4).decode()
    for text in (f"key: {blob}", f"payload {blob}", f"> {blob.replace(chr(10), chr(10) + '> ')}", f"a\n\n  {blob}."):
        assert (Kind.PERSON, 1) in kinds(text)
