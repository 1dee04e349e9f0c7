"""What a PDU can say beside its text: senders, identifiers, codings, times, headers; and what is wrong with it."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import PduError, RecipientError
from appliance.protocols import alphabet
from appliance.protocols.multipart import join
from appliance.protocols.pdu import decode, describe, flags_of, to_part
from appliance.protocols.pdu_encode_deliver import delivers, status_report

AT = datetime(2026, 11, 25, 9, 30, 0, tzinfo=timezone(timedelta(hours=1)))
EARLIEST = AT.replace(year=1990, tzinfo=None)
STAMP = "62115290030040"


def deliver(
    *, first: int = 0x04, sender: str = "0B918406100002F0", pid: int = 0, dcs: int = 0, stamp: str = STAMP,
    length: int | None = None, data: bytes = b"",
) -> str:  # fmt: skip
    size = len(data) if length is None else length
    return f"00{first:02X}{sender}{pid:02X}{dcs:02X}{stamp}{size:02X}{data.hex().upper()}"


def with_header(elements: bytes, body: bytes = b"hi", dcs: int = 0x04) -> str:
    return deliver(first=0x44, dcs=dcs, data=bytes([len(elements)]) + elements + body)


# ---- senders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["+48600100200", "600100200", "2929", "1", "*123#", "+1abc", "", "Office", "Megafon",
                                    "A", "ÄÖÜ", "€uro", "Eleven four", "@"])  # fmt: skip
def test_a_sender_comes_as_it_was_sent(sender: str) -> None:
    (hexed,) = delivers(sender, "hello", AT, smsc="+48601000310")
    found = decode(hexed)
    assert (found.address, found.text, found.smsc) == (sender, "hello", "+48601000310")
    kind = "hidden" if not sender else "number" if sender.strip("+0123456789*#abc") == "" else "alphanumeric"
    assert found.address_kind == kind


@pytest.mark.parametrize("sender", ["Twelve chars", "Офіс", "€€€€€€"])
def test_a_name_that_does_not_fit_is_refused(sender: str) -> None:
    with pytest.raises(RecipientError):
        delivers(sender, "hello", AT)


@pytest.mark.parametrize(("octets", "flag"), [("1100", "voicemail-waiting"), ("1000", "nothing-waits"),
                                              ("1180", "voicemail-waiting")])  # fmt: skip
def test_the_voicemail_sign_that_comes_as_a_sender_is_one(octets: str, flag: str) -> None:
    """CPHS 4.2 B.4.2.1: a sender of two letters that no name has."""
    part = to_part(deliver(sender="04D0" + octets, length=1, data=b"\x20"))
    assert (part.sender, part.sender_kind, part.flags) == ("", "hidden", (flag,))


def test_a_name_cannot_bring_a_new_line_into_a_mail() -> None:
    (hexed,) = delivers("Bad\nname", "hello", AT)
    assert decode(hexed).address == "Bad name"


# ---- identifiers and classes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pid", "flag"), [(0x40, "silent"), (0x41, "replace-1"), (0x47, "replace-7"),
                                           (0x5F, "return-call"), (0x7F, "sim-data"), (0x32, "e-mail")])  # fmt: skip
def test_what_kind_of_message_it_is_is_told(pid: int, flag: str) -> None:
    assert to_part(deliver(pid=pid)).flags == (flag,)


@pytest.mark.parametrize(("dcs", "message_class"), [(0x00, None), (0x10, 0), (0x12, 2), (0xF0, 0), (0xF7, 3),
                                                    (0x40, None), (0x58, 0)])  # fmt: skip
def test_the_class_of_a_message(dcs: int, message_class: int | None) -> None:
    found = decode(deliver(dcs=dcs))
    assert found.message_class == message_class
    assert ("flash" in flags_of(found)) is (message_class == 0)


@pytest.mark.parametrize(
    ("dcs", "coding", "flag"),
    [
        (0xC8, "gsm7", "voicemail-waiting"), (0xC0, "gsm7", "nothing-waits"), (0xD9, "gsm7", "fax-waiting"),
        (0xEA, "ucs2", "email-waiting"), (0xEB, "ucs2", "other-waiting"), (0xE0, "ucs2", "nothing-waits"),
    ],
)  # fmt: skip
def test_what_waits_with_the_operator_is_told(dcs: int, coding: str, flag: str) -> None:
    text = alphabet.pack(b"ab") if coding == "gsm7" else "ab".encode("utf-16-be")
    part = to_part(deliver(dcs=dcs, data=text))
    assert (part.text, part.coding, part.flags) == ("ab", coding, (flag,))


@pytest.mark.parametrize("dcs", [0x80, 0x9F, 0xB5, 0x0C, 0x1F])
def test_a_reserved_coding_is_the_default_alphabet(dcs: int) -> None:
    assert decode(deliver(dcs=dcs, length=2, data=alphabet.pack(b"ab"))).text == "ab"


def test_a_compressed_text_is_kept_and_not_guessed() -> None:
    part = to_part(deliver(dcs=0x20, data=b"\xf3\x01\x02"))
    assert (part.text, part.octets, part.flags) == (None, b"\xf3\x01\x02", ("compressed",))


# ---- times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "offset"),
    [("40", "+01:00"), ("00", "+00:00"), ("22", "+05:30"), ("32", "+05:45"), ("0A", "-05:00"), ("8A", "-07:00"),
     ("C2", "+08:00"), ("A0", "+02:30"), ("41", "+03:30"), ("49", "-03:30")],
)  # fmt: skip
def test_zones_in_quarters_of_an_hour(zone: str, offset: str) -> None:
    assert decode(deliver(stamp="621152900300" + zone)).timestamp == f"2026-11-25T09:30:00{offset}"


@pytest.mark.parametrize("stamp", ["00000000000000", "62135290030040", "62112290030040"[:6] + "FFFFFFFF", "FF" * 7])
def test_a_date_that_is_none_does_not_lose_the_text(stamp: str) -> None:
    found = decode(deliver(stamp=stamp, length=2, data=alphabet.pack(b"ab")))
    assert (found.timestamp, found.text) == (None, "ab")


@given(st.datetimes(EARLIEST, EARLIEST.replace(year=2089)), st.integers(-79, 79))
def test_any_time_comes_back_as_it_was(at: datetime, quarters: int) -> None:
    sent = at.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=15 * quarters)))
    (hexed,) = delivers("+48600100200", "x", sent)
    assert decode(hexed).timestamp == sent.isoformat()


def submit(form: int, validity: str) -> dict[str, object]:
    return describe(f"00{0x01 | form << 3:02X}000B918406100002F00000{validity}00")


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("00000000000000", {}),
        ("01AD0000000000", {"vp_seconds": 7 * 1440 * 60}),
        ("420A0000000000", {"vp_seconds": 10, "single_shot": True}),
        ("03104030000000", {"vp_seconds": 3600 + 4 * 60 + 3}),
        ("83002143650000", {"vp_seconds": 12 * 3600 + 34 * 60 + 56}),
        ("05FFFFFFFFFFFF", {}),
    ],
)
def test_the_enhanced_validity_is_read(octets: str, said: dict[str, object]) -> None:
    found = submit(1, octets)
    assert found["vp_enhanced"] == octets
    assert {key: found[key] for key in ("vp_seconds", "single_shot") if key in found} == said


def test_the_other_validities_are_read() -> None:
    assert submit(2, "A7")["vp_relative_minutes"] == 1440
    assert submit(3, STAMP)["vp_absolute"] == "2026-11-25T09:30:00+01:00"
    assert not [key for key in submit(0, "") if key.startswith("vp")]


# ---- headers --------------------------------------------------------------------------------------------------------


def test_several_indications_in_one_message() -> None:
    found = decode(with_header(b"\x01\x02\x80\x03\x01\x02\x01\x00\x01\x02\x07\x01\x01\x02\x80\x04"))
    assert [(w.kind, w.count) for w in found.waiting] == [("voicemail", 4), ("fax", 0), ("video", 1)]
    assert flags_of(found) == ("voicemail-waiting", "video-waiting")


def test_the_last_part_number_counts_and_one_without_sense_does_not() -> None:
    found = decode(with_header(b"\x00\x03\x07\x02\x01\x08\x04\x12\x34\x03\x02\x00\x03\x09\x02\x00"))
    assert found.concat is not None
    assert (found.concat.reference, found.concat.total, found.concat.sequence, found.concat.bits) == (0x1234, 3, 2, 16)
    for without in (b"\x00\x03\x01\x00\x00", b"\x00\x03\x01\x02\x03", b"\x00\x03\x01\x02\x00", b"\x00\x02\x01\x02"):
        assert decode(with_header(without)).concat is None


def test_a_message_for_a_program_is_told_by_its_ports() -> None:
    assert decode(with_header(b"\x05\x04\x0b\x84\x23\xf0")).ports == (2948, 9200, 16)
    assert decode(with_header(b"\x04\x02\xf5\xf6")).ports == (245, 246, 8)
    mms = to_part(with_header(b"\x05\x04\x0b\x84\x23\xf0", b"http://mms/1"))
    assert (mms.text, mms.octets, mms.flags) == (None, b"http://mms/1", ("mms-waiting",))
    assert to_part(with_header(b"\x05\x04\x15\x7c\x00\x00")).flags == ()


def test_a_mail_and_an_address_to_answer_are_told() -> None:
    found = describe(with_header(b"\x20\x01\x0c\x22\x08\x0b\x91\x84\x06\x10\x00\x02\xf0\x23\x02\x00\x00"))
    assert (found["email_header"], found["reply_to"], found["flags"]) == (12, "+48600100200", ["e-mail"])
    assert "reply_to" not in describe(with_header(b"\x22\x03\x0b\x91\x84"))


def test_pictures_and_sounds_do_not_hide_the_text() -> None:
    elements = b"".join(bytes([name, 3, 0, 1, 2]) for name in range(0x0A, 0x20))
    assert to_part(with_header(elements, b"text")).text == "text"


@pytest.mark.parametrize("language", range(14))
def test_a_language_of_the_header_is_the_language_of_the_text(language: int) -> None:
    septets = bytes([0x41, 0x1B, 0x14, 0x07])
    elements = bytes([0x25, 1, language, 0x24, 1, language])
    head = bytes([len(elements)]) + elements
    data = head + alphabet.pack(septets, 7 * alphabet.septets_of_header(len(head)))[len(head) :]
    hexed = deliver(first=0x44, length=alphabet.septets_of_header(len(head)) + 4, data=data)
    assert decode(hexed).text == alphabet.gsm7(septets, language, language)


def test_an_unknown_language_is_none() -> None:
    assert alphabet.gsm7([0x41, 0x1B, 0x65], 200, 99) == "A€"


# ---- what is wrong --------------------------------------------------------------------------------------------------

SHORT = deliver(length=20, data=alphabet.pack(b"How are you"))


@pytest.mark.parametrize(
    ("hexed", "text", "flag"),
    [
        (SHORT, "How are you", "cut-off"),
        (SHORT[:-3], "How are y", "cut-off"),
        (deliver(dcs=8, length=6, data="ab".encode("utf-16-be")), "ab", "cut-off"),
        (deliver(dcs=4, length=6, data=b"ab"), "ab", "cut-off"),
        (deliver()[:-2], "", "cut-off"),
        (with_header(b"\x00\x03\x01", b"hi"), "hi", "damaged"),
        (with_header(b"\x05\x09\x01\x02", b"hi"), "hi", "damaged"),
        (with_header(b"\x05", b"hi"), "hi", "damaged"),
        (deliver(first=0x44, dcs=4, data=b"hello"), "hello", "damaged"),
        (deliver(first=0x44, length=2, data=b"\x05\x00\x03\x01\x02\x01"), None, "damaged"),
        (deliver(length=161, data=bytes(141)), "@" * 161, None),
        (deliver(dcs=4, length=141, data=b"a" * 141), "a" * 141, None),
    ],
)
def test_a_damaged_message_is_refused_strictly_and_shown_leniently(
    hexed: str, text: str | None, flag: str | None
) -> None:
    with pytest.raises(PduError):
        decode(hexed, strict=True)
    part = to_part(hexed)
    assert "undecodable" not in part.flags
    assert part.flags == ((flag,) if flag else ())
    assert text is None or part.text == text


def test_a_header_that_is_announced_and_missing_is_no_fault() -> None:
    assert decode(deliver(first=0x44)).text == ""


@pytest.mark.parametrize("text", ["", "+CMT: ,24", "not a PDU at all, but it came", "00", "ß" * 300, "0" * 2000, "\0"])
def test_whatever_came_reaches_somebody(text: str) -> None:
    part = to_part(text)
    assert (part.pdu, part.text, part.coding, part.flags) == (text.strip().upper(), None, "raw", ("undecodable",))


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_octets_are_a_message_or_an_error(octets: bytes, framed: bool) -> None:
    hexed = (b"\x00" + octets if framed else octets).hex()
    for strict in (True, False):
        try:
            found = describe(hexed, strict)
        except PduError:
            continue
        assert found["kind"] in ("DELIVER", "SUBMIT", "STATUS-REPORT")
        str(found.get("text")).encode("utf-8")


# ---- reports, and parts that were cut where they should not ----------------------------------------------------------


@pytest.mark.parametrize("status", [0x00, 0x01, 0x20, 0x45, 0x63, 0xFF])
def test_a_report_tells_what_became_of_which_message(status: int) -> None:
    found = decode(status_report("+48600100200", 200, AT, AT + timedelta(seconds=4), status, smsc="+48601000310"))
    assert (found.kind, found.reference, found.status) == ("STATUS-REPORT", 200, status)
    assert (found.address, found.timestamp, found.discharge) == (
        "+48600100200", "2026-11-25T09:30:00+01:00", "2026-11-25T09:30:04+01:00",
    )  # fmt: skip
    assert "status-report" in flags_of(found)


def test_a_report_may_have_a_text_of_its_own() -> None:
    hexed = status_report("+48600100200", 1, AT, AT, 0) + "07" + "00" + "00" + "02" + alphabet.pack(b"ok").hex()
    found = describe(hexed)
    assert (found["pi"], found["pid"], found["text"], found["coding"]) == (7, 0, "ok", "gsm7")
    padded = describe(status_report("+48600100200", 1, AT, AT, 0) + "FF" * 20)
    assert (padded.get("pi"), padded["trailing"]) == (None, 20)
    cut = describe(status_report("+48600100200", 1, AT, AT, 0) + "04FF00")
    assert (cut.get("pi"), cut["trailing"]) == (None, 3)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("aZ€[]^~ñ@"), max_size=60), st.integers(1, 9))
def test_septets_are_joined_wherever_they_were_cut(text: str, size: int) -> None:
    septets = b"".join(alphabet.codes()[char] for char in text)
    pieces = [septets[i : i + size] for i in range(0, len(septets), size)]
    parts = [to_part(deliver(length=len(piece), data=alphabet.pack(piece))) for piece in pieces]
    assert join(parts) == text


def test_a_doubled_escape_at_a_border_is_a_space_and_takes_nothing_away() -> None:
    parts = [to_part(deliver(length=len(s), data=alphabet.pack(s))) for s in (b"\x1b\x1b", b"e")]
    assert join(parts) == " e"
    parts = [to_part(deliver(length=len(s), data=alphabet.pack(s))) for s in (b"a\x1b", b"\x1be")]
    assert join(parts) == "a e"
