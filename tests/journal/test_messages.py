"""What becomes of parts: messages, their mails, sets that wait."""

import hashlib
import json
from pathlib import Path

import pytest

from appliance.journal.messages import sender_tail
from appliance.journal.writer import Writer
from appliance.journal.writes import PartStored, StoreSmsPart, SweepParts
from tests.journal.builders import ANNA, at, join, rows, sms, write


def part(sequence: int, text: str, total: int = 3, reference: int = 7, **more: object) -> StoreSmsPart:
    return sms(text, reference=reference, total=total, sequence=sequence, **more)


def mails(path: Path) -> list[dict[str, object]]:
    return [json.loads(str(row["payload"])) for row in rows(path, "SELECT payload FROM outbox ORDER BY id")]


def test_a_single_message_is_a_row_and_a_mail_at_once(writer: Writer, path: Path) -> None:
    [result] = write(writer, sms("Cześć 👋", sender_name="Anna"))
    assert result == PartStored(False, 1, 1)
    [row] = rows(path, "SELECT * FROM sms")
    assert (row["text"], row["sender"], row["complete"], row["mailed"]) == ("Cześć 👋", ANNA, 1, 1)
    [mail] = mails(path)
    assert mail["to"] == ["office@x.test"]
    assert mail["text"] == "Cześć 👋"
    assert mail["line_label"] == "Reception"
    assert mail["sender_name"] == "Anna"
    [box] = rows(path, "SELECT * FROM outbox")
    assert (box["state"], box["created_at"], box["next_at"]) == ("waiting", at(0), at(0))
    assert str(box["message_id"]).startswith("<sms.1.")
    assert str(box["message_id"]).endswith("@box.test>")


def test_the_raw_pdu_is_kept_under_its_hash(writer: Writer, path: Path) -> None:
    write(writer, sms("Hello", pdu="07911326040000f0"))
    [row] = rows(path, "SELECT * FROM sms_parts")
    assert row["pdu"] == "07911326040000F0"
    assert row["sha256"] == hashlib.sha256(b"07911326040000F0").hexdigest()


def test_the_same_pdu_again_is_stored_but_makes_no_second_message(writer: Writer, path: Path) -> None:
    first, again, later = write(writer, sms(), sms(), sms(minute=3000))
    assert first == PartStored(False, 1, 1)
    assert again == later == PartStored(True, 1)
    assert len(rows(path, "SELECT * FROM sms")) == len(rows(path, "SELECT * FROM outbox")) == 1


def test_a_replacing_message_takes_the_place_of_the_one_before(writer: Writer, path: Path) -> None:
    """Of the same sender and type, and of no other; the older one stays in the journal, marked."""
    write(writer, sms("Gate 3", flags=("replace-1",)), sms("Gate 7", flags=("replace-2",), minute=1),
          sms("Gate 5", flags=("replace-1",), minute=2), sms("Gate 9", flags=("replace-1",), minute=3))  # fmt: skip
    found = rows(path, "SELECT text, flags FROM sms ORDER BY id")
    assert [row["text"] for row in found if "replaced" in json.loads(str(row["flags"]))] == ["Gate 3", "Gate 5"]
    assert [mail["replaces"] for mail in mails(path)] == ["", "", at(0), at(2)]


def replaced(path: Path) -> list[object]:
    found = rows(path, "SELECT text, flags FROM sms ORDER BY id")
    return [row["text"] for row in found if "replaced" in json.loads(str(row["flags"]))]


def test_one_who_asks_to_be_called_back_again_takes_the_place_of_his_first_time(writer: Writer, path: Path) -> None:
    write(writer, sms("1 message", flags=("return-call",)), sms("2 messages", flags=("return-call",), minute=1),
          sms("3 messages", sender="Bank", flags=("return-call",), minute=2))  # fmt: skip
    assert replaced(path) == ["1 message"]


def test_a_replacing_message_does_so_though_nobody_gets_it_by_mail(writer: Writer, path: Path) -> None:
    write(writer, sms("Gate 3", flags=("replace-1",)), sms("Gate 5", flags=("replace-1",), minute=1, mail=False))
    assert replaced(path) == ["Gate 3"]


def test_senders_that_hide_do_not_replace_each_other(writer: Writer, path: Path) -> None:
    write(writer, sms("Gate 3", sender="", flags=("replace-1",)),
          sms("Gate 5", sender="", flags=("replace-1",), minute=1))  # fmt: skip
    assert replaced(path) == []


def test_a_replaced_message_that_completes_late_stays_replaced(writer: Writer, path: Path) -> None:
    write(writer, part(1, "Gate ", total=2, flags=("replace-1",)), SweepParts(at(11)),
          sms("Gate 5", flags=("replace-1",), minute=12),
          part(2, "3", total=2, flags=("replace-1",), minute=13))  # fmt: skip
    assert replaced(path) == ["Gate 3"]


def test_nothing_waits_is_no_mail_but_with_a_text_it_is(writer: Writer, path: Path) -> None:
    write(writer, sms("", octets=b"", flags=("nothing-waits",)), sms("No messages", flags=("nothing-waits",), minute=1))
    assert [row["read_at"] for row in rows(path, "SELECT read_at FROM sms ORDER BY id")] == [at(0), None]
    assert [mail["text"] for mail in mails(path)] == ["No messages"]


def test_a_voicemail_that_waits_is_mailed_once_though_it_has_no_text(writer: Writer, path: Path) -> None:
    waits = sms("", octets=b"", flags=("voicemail-waiting",))
    write(writer, waits, waits)
    assert [mail["flags"] for mail in mails(path)] == [["voicemail-waiting"]]


def test_the_same_pdu_on_two_lines_is_two_messages(writer: Writer, path: Path) -> None:
    write(writer, sms(), sms(line="gsm1", line_label="Sales"))
    assert [row["line"] for row in rows(path, "SELECT line FROM sms ORDER BY id")] == ["gsm0", "gsm1"]
    assert [mail["line_label"] for mail in mails(path)] == ["Reception", "Sales"]


def test_a_long_message_waits_for_its_parts_in_any_order(writer: Writer, path: Path) -> None:
    results = write(writer, part(3, "three"), part(1, "one "), part(2, "two "))
    assert results == [PartStored(False), PartStored(False), PartStored(False, 1, 1)]
    [row] = rows(path, "SELECT * FROM sms")
    assert (row["text"], row["parts"], row["parts_total"], row["complete"]) == ("one two three", 3, 3, 1)
    [mail] = mails(path)
    assert len(mail["pdu"]) == 3
    assert mail["missing"] == []


def test_a_surrogate_pair_cut_between_parts_is_whole_in_the_message(writer: Writer, path: Path) -> None:
    octets = "Hi 👋!".encode("utf-16-be")
    one = part(1, "Hi \ud83d", total=2, coding="ucs2", octets=octets[:8])
    two = part(2, "\udc4b!", total=2, coding="ucs2", octets=octets[8:])
    write(writer, one, two)
    assert rows(path, "SELECT text FROM sms") == [{"text": "Hi 👋!"}]


def test_parts_may_differ_in_how_the_sender_is_written(writer: Writer, path: Path) -> None:
    write(writer, part(1, "a", total=2, sender="+48600100200"), part(2, "b", total=2, sender="600100200"))
    assert rows(path, "SELECT text, sender FROM sms") == [{"text": "ab", "sender": "+48600100200"}]


@pytest.mark.parametrize(
    ("sender", "tail"),
    [("+48600100200", "00100200"), ("600 100 200", "00100200"), ("Bank24", "bank24"), ("7272", "7272"), ("", "")],
)
def test_senders_are_compared_by_their_last_eight_digits_or_their_name(sender: str, tail: str) -> None:
    assert sender_tail(sender) == tail


def test_two_senders_with_the_same_reference_are_not_mixed(writer: Writer, path: Path) -> None:
    write(
        writer,
        part(1, "a1", total=2), part(1, "b1", total=2, sender="+48600100999"),
        part(2, "b2", total=2, sender="+48600100999"), part(2, "a2", total=2),
    )  # fmt: skip
    assert [row["text"] for row in rows(path, "SELECT text FROM sms ORDER BY id")] == ["b1b2", "a1a2"]


def test_a_reference_used_again_begins_a_new_message(writer: Writer, path: Path) -> None:
    write(writer, part(1, "old1", total=2), part(2, "old2", total=2))
    write(writer, part(1, "new1", total=2, minute=5), part(2, "new2", total=2, minute=5))
    assert [row["text"] for row in rows(path, "SELECT text FROM sms ORDER BY id")] == ["old1old2", "new1new2"]


def test_another_text_in_the_same_place_of_an_open_set_begins_a_new_set(writer: Writer, path: Path) -> None:
    write(writer, part(1, "A1", total=2), part(1, "B1", total=2, minute=1), part(2, "B2", total=2, minute=1))
    assert rows(path, "SELECT text FROM sms") == [{"text": "B1B2"}]
    write(writer, part(2, "A2", total=2, minute=2))
    assert [row["text"] for row in rows(path, "SELECT text FROM sms ORDER BY id")] == ["B1B2", "A1A2"]


def test_the_same_content_sent_again_with_another_stamp_is_a_duplicate(writer: Writer, path: Path) -> None:
    results = write(writer, part(1, "a", total=2), part(1, "a", total=2, pdu="AB"), part(2, "b", total=2))
    assert results[1] == PartStored(True)
    assert rows(path, "SELECT text, parts FROM sms") == [{"text": "ab", "parts": 2}]


def test_after_a_day_a_reference_counts_as_new(writer: Writer, path: Path) -> None:
    write(writer, part(1, "old", total=2), part(2, "new", total=2, minute=24 * 60 + 1))
    assert rows(path, "SELECT * FROM sms") == []


def test_a_set_that_waits_ten_minutes_is_delivered_as_it_is(writer: Writer, path: Path) -> None:
    write(writer, part(1, "one "), part(3, "three", minute=2))
    assert write(writer, SweepParts(at(9.9))) == [()]
    assert write(writer, SweepParts(at(10))) == [(1,)]
    assert write(writer, SweepParts(at(30))) == [()]
    [row] = rows(path, "SELECT * FROM sms")
    assert (row["text"], row["complete"], row["flags"]) == ("one  […] three", 0, '["incomplete"]')
    assert (row["parts"], row["parts_total"], row["received_at"]) == (2, 3, at(0))
    [mail] = mails(path)
    assert (mail["flags"], mail["missing"], mail["parts"], mail["parts_total"]) == (["incomplete"], [2], 2, 3)


@pytest.mark.parametrize(("there", "text"), [((2, 3), "[…] twothree"), ((1,), "one […]"), ((1, 2), "onetwo […]")])
def test_a_gap_is_marked_where_it_is(writer: Writer, path: Path, there: tuple[int, ...], text: str) -> None:
    words = {1: "one", 2: "two", 3: "three"}
    write(writer, *(part(n, words[n]) for n in there), SweepParts(at(11)))
    assert rows(path, "SELECT text FROM sms") == [{"text": text}]


def test_a_late_part_completes_the_message_and_mails_it_again(writer: Writer, path: Path) -> None:
    write(writer, part(1, "one "), part(3, "three"), SweepParts(at(11)))
    [late] = write(writer, part(2, "two ", minute=60))
    assert late == PartStored(False, 1, 2)
    [row] = rows(path, "SELECT * FROM sms")
    assert (row["text"], row["complete"], row["flags"], row["parts"]) == ("one two three", 1, '["completed"]', 3)
    first, second = mails(path)
    assert first["flags"] == ["incomplete"]
    assert (second["flags"], second["text"], second["missing"]) == (["completed"], "one two three", [])
    identifiers = {row["message_id"] for row in rows(path, "SELECT message_id FROM outbox")}
    assert len(identifiers) == 2


def test_a_late_part_that_does_not_complete_it_is_shown_but_not_mailed(writer: Writer, path: Path) -> None:
    write(writer, part(1, "a", total=4), SweepParts(at(11)))
    assert write(writer, part(2, "b", total=4, minute=12)) == [PartStored(False, 1)]
    assert rows(path, "SELECT text, parts FROM sms") == [{"text": "ab […]", "parts": 2}]
    assert len(mails(path)) == 1


def test_a_blocked_sender_is_stored_and_not_mailed(writer: Writer, path: Path) -> None:
    assert write(writer, sms(mail=False)) == [PartStored(False, 1)]
    assert rows(path, "SELECT mailed FROM sms") == [{"mailed": 0}]
    assert mails(path) == []


def test_without_a_recipient_a_message_is_stored_and_not_mailed(writer: Writer, path: Path) -> None:
    assert write(writer, sms(recipients=())) == [PartStored(False, 1)]
    assert mails(path) == []


def test_an_undecodable_message_is_stored_flagged_and_mailed_with_its_pdu(writer: Writer, path: Path) -> None:
    write(writer, sms(None, pdu="FFFF", coding="raw", octets=b"\xff", flags=("undecodable",)))
    [mail] = mails(path)
    assert (mail["text"], mail["flags"], mail["pdu"]) == ("", ["undecodable"], ["FFFF"])


@pytest.mark.parametrize(("total", "sequence"), [(3, 0), (3, 4), (0, 1), (300, 1), (1, 1)])
def test_a_part_whose_header_makes_no_sense_is_a_message_of_its_own(
    writer: Writer, path: Path, total: int, sequence: int
) -> None:
    assert write(writer, part(sequence, "alone", total=total)) == [PartStored(False, 1, 1)]
    assert rows(path, "SELECT text, complete, parts_total FROM sms") == [
        {"text": "alone", "complete": 1, "parts_total": 1}
    ]


def test_parts_that_cannot_be_joined_are_put_side_by_side(path: Path) -> None:
    def broken(parts: object) -> str:
        raise IndexError("out of range")

    writer = Writer(path, broken)
    writer.start()
    write(writer, part(1, "a", total=2), part(2, "b", total=2))
    writer.stop()
    assert rows(path, "SELECT text FROM sms") == [{"text": "ab"}]


def test_half_of_a_surrogate_pair_does_not_keep_a_message_from_being_stored(writer: Writer, path: Path) -> None:
    write(writer, sms("half \ud83d"))
    assert rows(path, "SELECT text FROM sms") == [{"text": "half \ufffd"}]


def test_sets_survive_a_restart(path: Path) -> None:
    for one in (part(1, "one "), part(2, "two "), part(3, "three")):
        writer = Writer(path, join)
        writer.start()
        write(writer, one)
        writer.stop()
    assert rows(path, "SELECT text FROM sms") == [{"text": "one two three"}]


@pytest.mark.parametrize("flag", ["silent", "sim-data", "status-report"])
def test_what_is_not_for_people_is_stored_and_not_mailed(writer: Writer, path: Path, flag: str) -> None:
    assert write(writer, sms(flags=(flag,))) == [PartStored(False, 1)]
    assert mails(path) == []
    assert rows(path, "SELECT read_at FROM sms") == [{"read_at": at(0)}]  # nor does a lamp wait for a reader
