"""Messages on the SIM of a modem."""

from appliance.protocols import modem_events as said
from tests.protocols.modem_bench import PDU, Bench, TwoMemories


def test_a_message_is_read_once_and_freed_only_while_it_is_the_same() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    assert [(e.memory, e.slot) for e in bench.told(said.MessageRead)] == [("SM", 3)]
    bench.run(10)
    bench.answers["AT+CMGR=3"] = f"+CMGR: 0,,30\r\n{PDU[:-2]}08"  # another message has moved in
    bench.modem.messages.free("SM", 3, PDU, bench.at)
    bench.run(1)
    assert not [c for c in bench.sent if c.startswith("AT+CMGD")]


def test_a_message_that_cannot_be_deleted_is_left_after_a_second_try() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}", "AT+CMGD=3": "!+CMS ERROR: 500"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.modem.messages.free("SM", 3, PDU, bench.at)
    bench.run(120)
    assert bench.sent.count("AT+CMGD=3") == 2
    assert len(bench.told(said.MessageRead)) == 1


def test_what_lay_on_the_sim_before_is_found_without_being_announced() -> None:
    bench = Bench(**{"AT+CPMS?": '+CPMS: "SM",1,20,"SM",1,20,"SM",1,20', "AT+CMGR=7": f"+CMGR: 1,,30\r\n{PDU}",
                     **{f"AT+CMGR={n}": "!+CMS ERROR: 321" for n in range(21) if n != 7}}).run(8)  # fmt: skip
    assert [(e.memory, e.slot, e.pdu) for e in bench.told(said.MessageRead)] == [("SM", 7, PDU)]


def test_an_announcement_of_the_other_memory_is_read_there() -> None:
    bench = Bench(**{"AT+CMGR=2": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "ME",2\r\n')
    bench.run(1)
    assert bench.sent.index('AT+CPMS="ME"') < bench.sent.index("AT+CMGR=2")
    assert bench.told(said.MessageRead)[0].memory == "ME"


def test_another_sim_is_another_number_and_its_messages_are_read() -> None:
    bench = Bench(**{"AT+CPMS?": '+CPMS: "SM",1,20,"SM",1,20,"SM",1,20', "AT+CMGR=3": f"+CMGR: 1,,30\r\n{PDU}",
                     "AT+CMGD=3": "!+CMS ERROR: 500",
                     **{f"AT+CMGR={n}": "!+CMS ERROR: 321" for n in range(21) if n != 3}}).run(8)  # fmt: skip
    bench.hear("\r\n+CPIN: NOT INSERTED\r\n")
    bench.answers["AT^ICCID?"] = "^ICCID: 8948039999999999999"
    bench.answers["AT+CMGR=3"] = f"+CMGR: 1,,30\r\n{PDU}"
    bench.run(20)
    assert bench.modem.sim.iccid == "8948039999999999999"
    assert len(bench.told(said.MessageRead)) == 2, "once for each SIM"


def test_what_was_to_be_deleted_on_one_sim_is_never_deleted_on_the_next() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.modem.stop()
    bench.modem.messages.free("SM", 3, PDU, bench.at)  # stored while the modem was being pulled
    bench.sent.clear()
    bench.modem.start(bench.at + 1)
    bench.run(8)
    assert bench.modem.state == "up"
    assert not [c for c in bench.sent if c.startswith("AT+CMGD")]


def test_a_deletion_whose_answer_was_lost_is_looked_at_before_it_is_repeated() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}", "AT+CMGD=3": "?"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.modem.messages.free("SM", 3, PDU, bench.at)
    bench.run(5)
    bench.answers["AT+CMGR=3"] = f"+CMGR: 0,,30\r\n{PDU[:-2]}08"  # it had worked, and the next message moved in
    bench.answers["AT+CMGD=3"] = ""
    bench.run(40)
    assert bench.sent.count("AT+CMGD=3") == 1


def test_nothing_is_read_or_deleted_in_a_memory_the_modem_did_not_turn_to() -> None:
    bench = Bench(**{"AT+CMGR=2": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "ME",2\r\n')
    bench.run(1)
    assert [e.memory for e in bench.told(said.MessageRead)] == ["ME"]
    bench.hear('\r\n+CMTI: "SM",5\r\n')
    bench.answers["AT+CMGR=5"] = "!+CMS ERROR: 321"
    bench.run(2)
    bench.answers['AT+CPMS="ME"'] = "!+CMS ERROR: 314"  # the SIM is busy
    bench.modem.messages.free("ME", 2, PDU, bench.at)
    bench.run(5)
    assert not [c for c in bench.sent if c.startswith("AT+CMGD")], "that would be another message"
    bench.answers['AT+CPMS="ME"'] = ""
    bench.run(20)
    assert bench.sent.count("AT+CMGD=2") == 1


def test_a_modem_without_a_choice_of_memory_is_read_all_the_same() -> None:
    bench = Bench(**{'AT+CPMS="SM","SM","SM"': None, "AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    assert len(bench.told(said.MessageRead)) == 1


def test_a_slot_that_holds_no_pdu_is_reported_as_it_is_and_freed() -> None:
    strange = '+CMGR: "REC UNREAD","+48600100200",,"26/11/25,03:00:00+04"\r\nGood morning'
    bench = Bench(**{"AT+CMGR=3": strange}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(0.5)
    assert bench.told(said.MessageRead) == [], "a second look tells whether it is so"
    bench.run(2)
    (read,) = bench.told(said.MessageRead)
    assert read.raw
    assert bytes.fromhex(read.pdu).decode("latin-1") == strange.replace("\r\n", "\n")
    bench.modem.messages.free("SM", 3, read.pdu, bench.at)
    bench.run(1)
    assert bench.sent.count("AT+CMGD=3") == 1
    assert bench.told(said.SlotFreed)


def test_a_line_that_was_only_heard_badly_is_read_again_and_not_kept_as_rubbish() -> None:
    bench = Bench(**{"AT+CMGR=3": "+CMGR: 0,,30\r\n07911326&4"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(0.5)
    bench.answers["AT+CMGR=3"] = f"+CMGR: 0,,30\r\n{PDU}"
    bench.run(2)
    assert [(e.pdu, e.raw) for e in bench.told(said.MessageRead)] == [(PDU, False)]


def test_a_direct_delivery_that_is_no_pdu_is_reported_too() -> None:
    bench = Bench().up()
    bench.hear('\r\n+CMT: "+48600100200",,"26/11/25,03:00:00+04"\r\nHello\r\n')
    (read,) = bench.told(said.MessageRead)
    assert read.slot is None
    assert b"Hello" in bytes.fromhex(read.pdu)


def test_a_slot_that_cannot_be_deleted_is_said_once() -> None:
    bench = Bench(**{"AT+CMGR=3": f"+CMGR: 0,,30\r\n{PDU}", "AT+CMGD=3": "!+CMS ERROR: 500"}).up()
    bench.hear('\r\n+CMTI: "SM",3\r\n')
    bench.run(1)
    bench.modem.messages.free("SM", 3, PDU, bench.at)
    bench.run(300)
    assert bench.told(said.SlotStuck) == [said.SlotStuck("SM", 3)]
    bench.run(3600)
    assert bench.sent.count("AT+CMGD=3") == 3, "once an hour"
    bench.answers["AT+CMGD=3"] = ""
    bench.run(3600)
    assert bench.told(said.SlotFreed) == [said.SlotFreed("SM", 3)]
    assert bench.told(said.SlotStuck) == [said.SlotStuck("SM", 3)]


def test_an_announcement_that_names_the_wrong_memory_is_found_in_the_other() -> None:
    bench = TwoMemories({"SM": {}, "ME": {}}).up()
    bench.held["SM"][4] = PDU
    bench.hear('\r\n+CMTI: "ME",4\r\n')
    bench.run(5)
    assert [(e.memory, e.slot) for e in bench.told(said.MessageRead)] == [("SM", 4)]


def test_a_message_in_the_other_memory_that_can_be_read_only_later_is_found_within_seconds() -> None:
    bench = TwoMemories({"SM": {}, "ME": {}}).up()
    bench.hear('\r\n+CMTI: "ME",4\r\n')
    bench.run(2)
    bench.held["SM"][4] = PDU  # only now
    bench.run(6)
    assert [(e.memory, e.slot) for e in bench.told(said.MessageRead)] == [("SM", 4)]


def test_announcements_that_ended_silently_are_switched_on_again() -> None:
    bench = Bench(**{"AT+CNMI?": "+CNMI: 2,0,0,0,0", "AT+CMGF?": "+CMGF: 1"}).up()
    bench.run(200)
    assert [e.what for e in bench.told(said.Mended)] == ["announcements", "pdu-mode"]
    assert "AT+CNMI=2,1,0,1,0" in bench.sent
    assert "AT+CMGF=0" in bench.sent


def test_a_direct_delivery_is_acknowledged_where_the_network_waits_for_it() -> None:
    for service, times in (("1,1,1,1", 1), ("0,1,1,1", 0)):
        bench = Bench(**{"AT+CSMS?": f"+CSMS: {service}"}).up()
        bench.hear(f"\r\n+CMT: ,24\r\n{PDU}\r\n")
        assert len(bench.told(said.MessageRead)) == 1
        bench.modem.messages.acknowledge()
        bench.run(1)
        assert bench.sent.count("AT+CNMA") == times
