"""From an outbox row to a mail: its words, its thread, and nothing that a hostile sender could add."""

import email
import re
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.journal.outbox import OutboxItem
from appliance.settings.schema import LANGUAGES
from appliance.worker.phrases import PHRASES, phrase
from appliance.worker.sms_mail import POLICY, compose, one_line, root_id, test_mail_of
from tests.journal.builders import NOON
from tests.worker.rows import ANNA, DESK, item

test_mail_of.__test__ = False
HEADERS = {
    "message-id", "date", "from", "to", "auto-submitted", "x-loop", "x-auto-response-suppress", "in-reply-to",
    "references", "subject", "content-type", "content-transfer-encoding", "mime-version",
}  # fmt: skip


def read(row: OutboxItem, **more: object) -> EmailMessage:
    """The mail as the other side reads it."""
    octets = compose(row, replace(DESK, **more)).as_bytes().replace(b"\r\n", b"\n")
    return email.message_from_bytes(octets, policy=policy.default)


def test_the_subject_names_sender_and_line_and_the_body_what_was_said_when() -> None:
    mail = read(item())
    assert mail["Subject"] == f"SMS od {ANNA} na Recepcja"
    assert mail["From"] == "Biuro Żuraw <box@office.test>"
    assert mail["To"] == "office@x.test"
    body = mail.get_content()
    assert body.startswith("Zażółć gęślą jaźń 😀\n\n")
    assert f"Od: {ANNA}\nDo: Recepcja\nWysłano: 27.11.2026 13:00:00 CET\nOdebrano: 27.11.2026 13:00:01 CET" in body
    assert "\n-- \nBiuro Żuraw." in body


def test_the_same_row_gives_the_same_octets() -> None:
    assert compose(item(), DESK).as_bytes() == compose(item(), DESK).as_bytes()
    assert read(item())["Message-ID"] == item().message_id
    assert read(item())["Date"] == "Fri, 27 Nov 2026 13:00:01 +0100"


def test_mails_of_one_sender_on_one_line_are_one_thread_and_others_are_not() -> None:
    one, again = read(item("a")), read(replace(item("b"), id=8, message_id="<sms.8.ff@box.test>"))
    other, elsewhere = read(item(sender="+48600100201")), read(item(line="gsm1"))
    assert one["References"] == one["In-Reply-To"] == again["References"] == root_id("gsm0", ANNA, "box.test")
    assert len({one["References"], other["References"], elsewhere["References"]}) == 3
    assert one["Subject"] == again["Subject"]


def test_what_a_server_gets_has_seven_bits_and_short_lines() -> None:
    octets = compose(item("ż" * 4000 + "\n" + "x" * 4000 + "\n.\n.."), DESK).as_bytes()
    assert max(octets) < 128
    assert max(len(line) for line in octets.split(b"\r\n")) <= 78
    assert octets.count(b"\n") == octets.count(b"\r\n")


@pytest.mark.parametrize(
    "sender",
    [
        "+48\r\nBcc: all@x.test", "a\nX-Evil: 1", "=?utf-8?q?a=0d=0aBcc:_x@y.z?=", "x\x00y", "\u202egnp.exe",
        "\u2028Bcc: x", "", " ", "<script>", '"a" <b@c>', "a" * 5000, "\x85Bcc: z", "名前\t\v\f",
    ],
)  # fmt: skip
def test_a_hostile_sender_adds_no_header_and_stays_on_one_line(sender: str) -> None:
    row = item(sender=sender, line_label=sender, sender_name=sender)
    raw = compose(row, DESK).as_bytes()
    mail = read(row)
    assert {name.lower() for name in mail.keys()} == HEADERS  # noqa: SIM118 - header names may repeat
    assert len(mail.keys()) == len(HEADERS)
    assert re.search(r"[\x00-\x1f\x7f\u202e\u2028\u2029\x85]", str(mail["Subject"])) is None
    assert len(str(mail["Subject"])) < 200
    assert b"\nBcc:" not in raw
    assert b"\nX-Evil:" not in raw


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["what", "to", "line", "line_label", "sender", "sender_name", "text", "sent_at", "received_at", "flags",
             "pdu", "missing", "parts", "parts_total", "message", "args"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=60),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=5,
        ),
    ),
    st.sampled_from(sorted(LANGUAGES)),
)  # fmt: skip
def test_any_payload_gives_a_mail_that_can_be_read(payload: dict, language: str) -> None:
    desk = replace(DESK, language=language)
    octets = compose(replace(item(), payload=payload), desk).as_bytes()
    mail = email.message_from_bytes(octets, policy=policy.default)
    assert {name.lower() for name in mail.keys()} <= HEADERS  # noqa: SIM118 - header names may repeat
    assert isinstance(mail.get_content(), str)


def test_missing_parts_are_told_and_later_the_whole_is() -> None:
    part = read(item("Początek […]", parts=1, parts_total=3, missing=[2, 3], flags=["incomplete"])).get_content()
    assert "dotarło części: 1 z 3, brakuje: 2, 3." in part
    whole = read(item("Początek i koniec", parts=3, parts_total=3, flags=["completed"])).get_content()
    assert "To cała wiadomość." in whole
    assert "niepełna" not in whole


def test_what_cannot_be_read_comes_as_hex() -> None:
    body = read(item("", flags=["undecodable"], pdu=["07" * 40, "zz0A\r\nBcc: x"])).get_content()
    assert "07" * 32 + "\n" + "07" * 8 + "\n\n0ABCC" in body.replace("\r", "")
    assert "Centralka nie potrafi odczytać" in body
    assert "nie ma treści" not in body


def test_flags_are_sentences_and_unknown_ones_are_shown_as_they_are() -> None:
    body = read(item(flags=["flash", "mms-waiting", "voicemail-waiting", "new-kind"])).get_content()
    assert "(flash)" in body
    assert "(MMS)" in body
    assert "poczcie głosowej" in body
    assert "* new-kind" in body


def test_a_message_that_takes_the_place_of_another_says_of_which() -> None:
    body = read(item("Bramka 5", flags=["replace-1"], replaces="2026-11-27T11:03:00.000Z")).get_content()
    assert "* Zastępuje wiadomość z" in body
    assert "12:03" in body
    assert "replace-1" not in body


def test_a_voicemail_of_the_operator_is_told_in_words() -> None:
    body = read(item("", flags=["voicemail-waiting"])).get_content()
    assert "w jego poczcie głosowej czeka nagranie dla tego numeru." in body


def test_a_message_without_text_says_so() -> None:
    assert "(Ta wiadomość nie ma treści.)" in read(item("")).get_content()


def test_control_characters_of_a_text_do_not_reach_the_mail() -> None:
    body = read(item("a\x00b\x1b[31mc\r\nd\ud83de")).get_content()
    assert body.startswith("a\ufffdb\ufffd[31mc\nd\ufffde\n")


def test_a_code_stands_in_the_subject_only_where_the_owner_wants_it() -> None:
    row = item("Twój kod: 123456")
    assert "123 456" not in str(read(row)["Subject"])
    assert "123456" not in str(read(row)["Subject"])
    assert str(read(row, code_in_subject=True)["Subject"]).startswith("123 456 w SMS-ie")


def test_a_notice_has_its_sentence_as_subject() -> None:
    row = item(what="notice", message="mail-dead", args={"count": "3\r\nBcc: x"})
    mail = read(row, language="en", name="Office")
    assert str(mail["Subject"]).startswith("Office: 3 Bcc: x mails could not be delivered")
    assert mail["References"] is None
    assert "27 Nov 2026 13:00:01 CET" in mail.get_content()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_every_phrase_with_the_same_facts(language: str) -> None:
    assert set(PHRASES[language]) == set(PHRASES["en"])
    for name, words in PHRASES["en"].items():
        other = PHRASES[language][name]
        if name != "date":
            assert set(re.findall(r"\{\w+\}", other)) == set(re.findall(r"\{\w+\}", words)), name
        if language != "en" and name not in ("notice", "date"):
            assert other != words, name
        assert phrase(language, name, **dict.fromkeys(re.findall(r"\{(\w+)\}", words), "x")) != name


def test_a_test_mail_says_who_sends_it() -> None:
    mail = test_mail_of(DESK, ["a@x.test", "b@x.test"], "<test.1@box.test>", NOON)
    assert mail["To"] == "a@x.test, b@x.test"
    assert mail["Subject"] == "Próbny mail: Biuro Żuraw"


def test_one_line_is_cut_with_a_sign() -> None:
    assert one_line("a" * 100) == "a" * 59 + "…"
    assert POLICY.cte_type == "7bit"
    assert read(item(sent_at="yesterday"), zone=ZoneInfo("UTC")).get_content().count("Wysłano: yesterday") == 1
