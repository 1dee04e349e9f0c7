"""Messages of ours in the journal: whole or not at all, and read again as they were."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

from appliance.core import sending as core
from appliance.core.sending import Outgoing, OutPart
from appliance.journal import sending
from appliance.journal.db import open_reader
from appliance.journal.sending import AddOutgoing, OutgoingAdded, PutOutgoing
from appliance.journal.times import moment
from appliance.journal.writer import Writer
from tests.journal.builders import at, rows, sms, write

TO = "+48600100200"


def new(parts: int = 1, **more: object) -> AddOutgoing:
    made = tuple(OutPart(n, parts, f"00{n:02X}", 20) for n in range(1, parts + 1))
    facts: dict[str, object] = {
        "line": "gsm0", "recipient": TO, "text": "Hello", "origin": "page", "at": at(), "parts": made, "by": "anna",
        "options": {"report": True, "valid_minutes": 60},
    }  # fmt: skip
    return AddOutgoing(**{**facts, **more})  # type: ignore[arg-type]


def added(writer: Writer, add: AddOutgoing) -> Outgoing:
    [result] = write(writer, add)
    assert isinstance(result, OutgoingAdded)
    return result.message


def test_a_message_and_its_parts_are_read_again_as_they_were(writer: Writer, path: Path) -> None:
    message = added(writer, new(3, reference=41))
    with closing(open_reader(path)) as db:
        assert sending.outgoing(db, message.id) == message
        assert sending.references(db) == {"gsm0": 41}
        [row] = sending.sent_messages(db)
    assert (message.state, message.report, message.valid_minutes) == ("queued", True, 60)
    assert (row.parts, row.done, row.by, row.text, row.over) == (3, 0, "anna", "Hello", False)


def test_the_same_key_makes_no_second_message(writer: Writer, path: Path) -> None:
    first, again = write(writer, new(key="mail-7"), new(key="mail-7", text="other"))
    assert isinstance(first, OutgoingAdded)
    assert isinstance(again, OutgoingAdded)
    assert (first.fresh, again.fresh) == (True, False)
    assert again.message == first.message
    assert len(rows(path, "SELECT id FROM sms_out")) == 1


def test_every_change_is_kept_with_its_reason(writer: Writer, path: Path) -> None:
    message = added(writer, new(2))
    now = moment(at())
    changed = core.sent(core.began(message, 1, now), 1, 7)
    changed = core.reported(changed, 1, 7, 0, now + timedelta(seconds=5))
    changed = core.failed(core.began(changed, 2, now), 2, 38, "+CMS ERROR: 38", now)
    write(writer, PutOutgoing(changed, at(30)))
    with closing(open_reader(path)) as db:
        assert sending.outgoing(db, message.id) == changed
        [row] = sending.sent_messages(db, recipient=TO)
        assert sending.left_since(db, at()) == (("gsm0", now),)
    assert (row.state, row.reason, row.detail, row.done) == ("sending", "sms-network", "+CMS ERROR: 38", 1)


def test_what_can_still_change_is_found_at_the_start(writer: Writer, path: Path) -> None:
    now = moment(at())
    waiting = added(writer, new())
    told = added(writer, new())
    over = added(writer, new())
    write(
        writer,
        PutOutgoing(core.sent(core.began(told, 1, now), 1, 7), at()),
        PutOutgoing(core.reported(core.sent(core.began(over, 1, now), 1, 8), 1, 8, 0, now), at()),
    )
    with closing(open_reader(path)) as db:
        assert [m.id for m in sending.live_messages(db, at(-60))] == [waiting.id, told.id]
        assert [m.id for m in sending.live_messages(db, at(60))] == [waiting.id]


def test_the_line_they_wrote_to_last_is_known(writer: Writer, path: Path) -> None:
    write(writer, sms("first", line="gsm0"), sms("later", line="gsm1"))
    with closing(open_reader(path)) as db:
        assert sending.last_line(db, TO) == "gsm1"
        assert sending.last_line(db, "+48600999999") == ""


def test_an_answer_to_a_message_that_is_gone_is_a_message_all_the_same(writer: Writer, path: Path) -> None:
    assert added(writer, new(reply_to=999)).state == "queued"
    assert rows(path, "SELECT reply_to FROM sms_out")[0]["reply_to"] is None
