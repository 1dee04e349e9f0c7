"""What people who run such modems complain of in public, each as it would happen here."""

import os

import pytest
import serial

from tests.acceptance.conftest import MakePhone, Office
from tests.acceptance.test_commands import typed
from tests.peers.waiting import until

CALLER = "+48600100200"
SILENT = "07911326040000F0040B911346610089F64000208062917314080CC8F71D14969741F977FD07"  # type 0: nobody shall see it


def fault(office: Office, *words: str) -> None:
    office.virtual("gsm0 fault " + " ".join(words))


def sms(office: Office, text: str, sender: str = CALLER) -> None:
    office.far("sms", **{"from": sender, "text": text})


def arrives(office: Office, *texts: str, seconds: float = 40) -> None:
    """Each of the texts is in the mailbox, once."""
    until(f"{len(texts)} mails", lambda: len(mailed(office)) >= len(texts), seconds, 0.2)
    assert sorted(mailed(office)) == sorted(texts)


def mailed(office: Office) -> list[str]:
    return [mail["text"].replace("\r\n", "\n").split("\n\n")[0].strip() for mail in office.mails()]


def empty(office: Office) -> None:
    until("the SIM is empty", lambda: not office.far("status")["messages"]["SM"]["used"], 30, 0.2)


def test_a_modem_that_hangs_after_a_while_is_asked_again_and_healed(office: Office) -> None:
    """gammu 4, 126, 138, 266: it stops answering, and only a person with a hand on the plug helps."""
    fault(office, "silence")
    until("the page says so", lambda: office.line()["state"] not in ("up", "storage-full"), 60, 0.2)
    fault(office, "none")
    until("it works again", lambda: office.line()["state"] == "up", 60, 0.2)
    sms(office, "after the silence")
    arrives(office, "after the silence")


def test_a_message_announced_in_the_wrong_memory_is_found(office: Office) -> None:
    """gammu 369, 223; asterisk-chan-dongle 31."""
    fault(office, "lie-memory")
    sms(office, "where am I")
    arrives(office, "where am I")
    empty(office)


def test_a_message_that_can_be_read_only_later_and_is_announced_in_an_odd_form_arrives(office: Office) -> None:
    """serialport-gsm 60, 111: +CMTI with words nobody expects, seconds before the message is there; and this one names
    the wrong memory, too."""
    office.virtual("gsm0 profile worst")
    until("the modem is another one", lambda: office.line()["state"] != "up", 20)
    until("it is up", lambda: office.line()["state"] == "up", 60, 0.2)
    office.far("set", name="readable_after", value=6)
    sms(office, "later than told")
    arrives(office, "later than told")


def test_a_message_that_cannot_be_deleted_is_mailed_once_whatever_happens(office: Office) -> None:
    """gammu 217: the same message again and again."""
    fault(office, "delete-fails")
    sms(office, "stays there")
    arrives(office, "stays there")
    office.processes.pop("exchange").kill()
    office.start("exchange")
    until("the line works", lambda: office.line()["state"] in ("up", "storage-full"), 40, 0.2)
    sms(office, "after the restart")
    arrives(office, "stays there", "after the restart")


def test_a_message_of_fifty_four_parts_arrives_whole(office: Office) -> None:
    """gammu 442 and its like: long messages crash, come incomplete or cut."""
    text = "".join(f"word {n:04d} " for n in range(900))[: 153 * 54 - 1] + "!"
    sms(office, text)
    until("it is there", lambda: office.rows("sms"), 90, 0.2)
    [row] = office.rows("sms")
    assert (row["text"], row["parts"], row["parts_total"]) == (text, 54, 54)
    empty(office)


def test_a_modem_whose_first_answers_are_late_comes_up_all_the_same(office: Office) -> None:
    """python-gsmmodem 94, 97, 102, 105: no line because one answer took six seconds."""
    office.far("set", name="late", value=6)
    office.far("set", name="late_for", value="AT+CMGF")
    office.virtual("gsm0 unplug")
    office.virtual("gsm0 plug")
    until("it is seen to be away", lambda: office.line()["state"] != "up", 10, 0.05)
    until("it is up", lambda: office.line()["state"] == "up", 90, 0.2)


def test_an_announcement_of_a_message_that_is_not_there_stops_nothing(office: Office) -> None:
    """python-gsmmodem 106: +CMS ERROR 321 ends the reader."""
    office.far("set", name="readable_after", value=4)
    sms(office, "not yet readable")
    arrives(office, "not yet readable")


def test_a_ring_in_its_longer_form_rings_the_phones(office: Office, phone: MakePhone) -> None:
    """asterisk-chan-dongle 82: +CRING in place of RING, and nobody hears of the call."""
    ben = phone("102", answers=True)
    office.far("set", name="cring", value=True)
    office.far("call", number=CALLER)
    ben.wait("CALL_ESTABLISHED")
    office.far("hang-up")
    assert [call["caller"] for call in office.wait_calls()] == [CALLER]


def test_of_a_long_message_only_the_part_that_failed_is_sent_again(office: Office) -> None:
    """gammu 345, 311, 1154: one part is refused, and the message is torn or comes twice."""
    text = "Zamówienie jest gotowe. " * 12
    office.far("fault", name="cms", words=["38"], once=True)
    office.ask("sms.send", to=CALLER, text=text, line="gsm0")
    until("a part waits again", lambda: office.rows("sms_out", "attempts = 1"), 20)
    office.at("2026-11-27T12:02")
    until("it is delivered", lambda: office.rows("sms_out", "state = 'delivered'"), 30, 0.1)
    [arrived] = office.far("sent")["sent"]
    assert (arrived["to"], arrived["text"], arrived["complete"]) == (CALLER, text, True)
    assert arrived["parts"] == len(office.rows("sms_out_parts"))


def test_a_silent_message_is_mailed_to_nobody_and_taken_off_the_sim(office: Office) -> None:
    """gsm-sip-bridge 57: the network looks for the SIM by messages that nobody shall see."""
    office.far("pdu", hex=SILENT)
    empty(office)
    sms(office, "for people")
    arrives(office, "for people")


def test_answers_that_are_off_by_one_are_set_right(office: Office) -> None:
    """gsm-sip-bridge: each answer was taken for the next command's, for ever."""
    fault(office, "desync", "--for", "8")
    sms(office, "in step again")
    arrives(office, "in step again", seconds=90)


def test_registered_and_no_call_goes_out_is_named_as_no_voice(office: Office, phone: MakePhone) -> None:
    """pinephone_modem_sdk 250, LilyGo 115, T-SIM7600X 81, 104."""
    anna = phone("101")
    fault(office, "no-voice")
    anna.dial("600100200")
    office.wait_calls()
    until("the page says why", lambda: "no-voice" in {e["message"] for e in office.rows("events")}, 10, 0.1)


def test_another_program_on_the_port_is_named_with_what_to_do(office: Office) -> None:
    """openwrt/packages 14197, gammu 488: ModemManager holds the port."""
    office.virtual("gsm0 unplug")
    until("it is away", lambda: office.line()["state"] == "not-there", 15, 0.05)
    office.processes.pop("exchange").stop()
    office.virtual("gsm0 plug")
    port = serial.Serial(os.path.realpath(office.places.devices / "gsm0-at"), exclusive=True)
    office.start("exchange")
    until("the page says so", lambda: office.line()["state"] == "port-busy", 20, 0.1)
    until("and what to do", lambda: "line-taken" in {note["message"] for note in office.status()["notes"]}, 20, 0.1)
    port.close()
    until("it works when the other is gone", lambda: office.line()["state"] == "up", 60, 0.2)


def test_a_modem_that_drops_off_the_bus_and_comes_back_under_another_name_is_found(office: Office) -> None:
    """asterisk-chan-dongle 48, 62, 207, 255, 261, 281."""
    until("its number is known", lambda: office.line()["facts"]["imei"], 20, 0.2)
    office.virtual("gsm0 unplug")
    until("it is away", lambda: office.line()["state"] == "not-there", 15, 0.05)
    office.virtual("gsm0 plug --as other")
    until("it is found", lambda: office.line()["state"] == "up", 60, 0.2)
    sms(office, "under another name")
    arrives(office, "under another name")


@pytest.mark.parametrize("form", ["plain", "packed", "ucs2"])
def test_the_answer_to_a_code_is_readable_whatever_the_modem_makes_of_it(office: Office, form: str) -> None:
    """asterisk-chan-dongle 116, 38, 98; gammu 358, 513, 150."""
    office.virtual("gsm0 ussd *100# Saldo12,34zl --encoding " + form)
    code, text = typed(office, "ussd", "gsm0", "*100#")
    assert code == 0, text
    assert "Saldo12,34zl" in text


def test_a_modem_without_free_voice_says_so_instead_of_being_silent(office: Office, phone: MakePhone) -> None:
    """RasPBX-install 7: AT^DDSETEX is refused, and nobody hears anything."""
    ben = phone("102", answers=True)
    office.far("set", name="voice_locked", value=True)
    office.far("call", number=CALLER)
    ben.wait("CALL_ESTABLISHED")
    until("it is said", lambda: "speech-refused" in {e["message"] for e in office.rows("events")}, 15, 0.1)
