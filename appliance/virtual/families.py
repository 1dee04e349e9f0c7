"""The profiles: one table entry for each kind of modem, with its forms, its commands and its bad habits.

A profile is what `gsm0 profile NAME` and `CENTRALKA_VIRTUAL_MODEMS` name. `worst` has all bad habits at once that a
modem can have and still be used. A file of recorded talk makes a profile of its own (`from_record`).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from appliance.virtual.at_answers import COMMON_ACCEPTED, COMMON_OURS, COMMON_WORDS, Family, Words

HUAWEI_OURS = {
    **COMMON_OURS,
    "AT^CVOICE?": ("^CVOICE:0,8000,16,20", "ours: the form wdoekes/asterisk-chan-dongle reads"),
    "AT^CVOICE=?": ("^CVOICE:(0)", "ours: the form wdoekes/asterisk-chan-dongle reads"),
    "AT^DDSETEX=?": ("^DDSETEX:(2)", "ours: the form wdoekes/asterisk-chan-dongle reads"),
    "AT^U2DIAG?": ("^U2DIAG:0", "ours: the form wdoekes/asterisk-chan-dongle reads"),
}
HUAWEI_OWN = {"tries": "^CPIN", "iccid": "^ICCID", "tones": "^DDTMFCFG"}
SIMCOM_OWN = {"tries": "+SPIC", "iccid": "+CICCID", "tones": "+DDET"}

HUAWEI = Family(
    "huawei",
    "huawei",
    ("Huawei E1752", "Huawei K3715", "Huawei E160G", "Huawei E1550", "Huawei E303", "Huawei"),
    "35303802",
    "COMMAND NOT SUPPORT",
    0,
    HUAWEI_OURS,
    COMMON_ACCEPTED | {"AT^CVOICE", "AT^DDTMFCFG", "AT^U2DIAG", "AT^SYSCFG", "AT^USSDMODE", "AT^STSF", "AT^PORTSEL"},
    {
        **COMMON_WORDS,
        "creg": Words("+{name}: {stat},{lac},{cell}", "record: Huawei E160G"),
        "creg-read": Words("+{name}: {n},{stat},{lac},{cell}", "record: Huawei E160G"),
        "iccid": Words("^ICCID: {iccid}", "ours: the form ModemManager reads"),
        "pin-tries": Words("^CPIN: {state},{puk},{pin},10,3", "ours: the form ModemManager reads"),
        "orig": Words("^ORIG:{index},0", "record: Huawei E1752"),
        "conf": Words("^CONF:{index}", "record: Huawei E1752"),
        "conn": Words("^CONN:{index},0", "record: Huawei E1752"),
        "cend": Words("^CEND:{index},{seconds},{end},{cause}", "record: Huawei E1752"),
        "full": Words('^SMMEMFULL: "{memory}"', "ours: the form wdoekes/asterisk-chan-dongle reads"),
        "noise": Words("^RSSI:{signal}", "ours: the form wdoekes/asterisk-chan-dongle reads"),
        "dtmf": Words("^DDTMF: {digit}", "ours: the form chan_quectel reads"),
        "sim-gone": Words("^SIMST:255", "ours: the form wdoekes/asterisk-chan-dongle reads"),
    },
    HUAWEI_OWN,
    ("^SIMST:1", "^SRVST:2", "^MODE:5,4"),
    "ddsetex",
    ("SM", "ME", "SR"),
)
E1550 = replace(
    HUAWEI,
    name="e1550",
    models=("Huawei E1550", "Huawei E160G", "Huawei K3715", "Huawei E160", "Huawei"),
    tac="35307103",
    ours={
        **HUAWEI_OURS,
        "AT+CGMI": ("huawei", "ours: 27.007 5.1"),
        "AT+CGMM": ("E1550", "ours: 27.007 5.2"),
        "AT+CGMR": ("11.608.14.15.311", "ours: 27.007 5.3"),
    },
    boot=("^BOOT:18903001,0,0,0,75", "^SIMST:1", "^SRVST:2", "^MODE:5,4", "^RSSI:17"),
    quirks={"ussd_request": "packed", "ussd_answer": "packed", "noise": 5.0, "year_digits": 4},
)
SIM7600 = Family(
    "sim7600",
    "simcom",
    ("SIM7600G-H", "SIM7600G", "SIM7600", "SIM7600 (Waveshare hat)", "SimTech SIM7xxx"),
    "86147703",
    "ERROR",
    0,
    {
        **COMMON_OURS,
        "AT+CGMI": ("SIMCOM INCORPORATED", "ours: 27.007 5.1"),
        "AT+CGMM": ("SIMCOM_SIM7600E", "ours: 27.007 5.2"),
        "AT+CGMR": ("+CGMR: LE20B05SIM7600E22", "ours: 27.007 5.3"),
        "AT+CPCMREG=?": ("+CPCMREG: (0-1)", "ours: SIMCom's audio note"),
    },
    COMMON_ACCEPTED | {"AT+CPCMFRM", "AT+CPCMBANDWIDTH", "AT+DDET", "AT+CNMP", "AT+AUTOCSQ", "AT+CSDVC"},
    {
        **COMMON_WORDS,
        "iccid": Words("+ICCID: {iccid}", "ours: SIMCom's form"),
        "pin-tries": Words("+SPIC: {pin},{puk},3,10", "ours: the form ofono reads"),
        "conn": Words("VOICE CALL: BEGIN", "record: SimTech SIM7xxx"),
        "cend": Words("VOICE CALL: END: {seconds:06d}", "record: SimTech SIM7xxx"),
        "missed": Words("MISSED_CALL: {clock} {number}", "record: SimTech SIM7xxx"),
        "full": Words("+SMS FULL", "ours: SIMCom's form"),
        "noise": Words("+CSQ: {signal},99", "record: SIM7600"),
        "dtmf": Words("+RXDTMF: {digit}", "record: SimTech SIM7xxx"),
        "sim-gone": Words("+CPIN: NOT INSERTED", "record: SIM800 series"),
    },
    SIMCOM_OWN,
    ("RDY", "+CPIN: READY", "SMS DONE", "PB DONE"),
    "cpcmreg",
    ("SM", "ME", "SR"),
    {"capacity_sr": 0, "ath_ignored": True},
)
SIM800 = Family(
    "sim800",
    "simcom",
    ("SIM800 series", "SIM800L", "SIM900/SIM800 (MMS)"),
    "86769102",
    "ERROR",
    1,
    {
        **COMMON_OURS,
        "AT+CGMI": ("SIMCOM_Ltd", "ours: 27.007 5.1"),
        "AT+CGMM": ("SIMCOM_SIM800L", "ours: 27.007 5.2"),
        "AT+CGMR": ("Revision:1418B05SIM800L24", "ours: 27.007 5.3"),
    },
    COMMON_ACCEPTED | {"AT+DDET", "AT+MORING", "AT+CHFA", "AT+CREC"},
    {
        **COMMON_WORDS,
        "iccid": Words("{iccid}", "ours: SIMCom's form"),
        "pin-tries": Words("+SPIC: {pin},{puk},3,10", "ours: the form ofono reads"),
        "mo-ring": Words("MO RING", "record: SIM800 series"),
        "mo-connected": Words("MO CONNECTED", "record: SIM800 series"),
        "full": Words("+SMS FULL", "ours: SIMCom's form"),
        "noise": Words("+CSQN: {signal},0", "ours: SIMCom's form"),
        "dtmf": Words("+DTMF: {digit}", "ours: SIMCom's form"),
        "sim-gone": Words("+CPIN: NOT INSERTED", "record: SIM800 series"),
        "creg": Words('+{name}: {stat},"{lac}","{cell}"', "ours: 27.007 7.2, without the technology"),
        "creg-read": Words('+{name}: {n},{stat},"{lac}","{cell}"', "ours: 27.007 7.2, without the technology"),
        "cops": Words('+COPS: 0,{format},"{name}"', "ours: 27.007 7.3, without the technology"),
    },
    {"tries": "+SPIC", "iccid": "+CCID", "tones": "+DDET"},
    ("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready"),
    "",
    ("SM", "ME", "SR"),
    {"no_lte": True, "capacity_sm": 30, "prompt": "\r\n\r\n>"},
)
EC25 = Family(
    "ec25",
    "quectel",
    ("Quectel EC25", "Quectel EC200T", "Quectel"),
    "86675804",
    "ERROR",
    0,
    {
        **COMMON_OURS,
        "AT+CGMI": ("Quectel", "ours: 27.007 5.1"),
        "AT+CGMM": ("EC25", "ours: 27.007 5.2"),
        "AT+CGMR": ("EC25EFAR06A06M4G", "ours: 27.007 5.3"),
        "AT+QPCMV=?": ("+QPCMV: (0,1),(0-2)", "ours: Quectel's voice-over-USB note"),
    },
    COMMON_ACCEPTED | {"AT+QTONEDET", "AT+QURCCFG", "AT+QCFG", "AT+QGPSCFG", "AT+QEEC", "AT+QDAI", "AT+QRXGAIN",
                       "AT+QMIC"},
    {
        **COMMON_WORDS,
        "iccid": Words("+QCCID: {iccid}", "ours: Quectel's form"),
        "pin-tries": Words('+QPINC: "SC",{pin},{puk}', "ours: the form ofono reads"),
        "ccinfo": Words(
            '+QIND: "ccinfo",{index},{direction},{state},0,0,"{number}",{type}', "ours: the form chan_quectel reads"
        ),
        "dsci": Words("^DSCI: {index},{direction},{state},0,{number},{type}", "ours: the form chan_quectel reads"),
        "full": Words('+QIND: "SMS_FULL","{memory}"', "ours: the form chan_quectel reads"),
        "noise": Words('+QIND: "csq",{signal},99', "ours: the form chan_quectel reads"),
        "dtmf": Words("+QTONEDET: {code}", "ours: the form chan_quectel reads"),
        "sim-gone": Words("+CPIN: NOT INSERTED", "record: SIM800 series"),
        "flow": Words("+QPCMV: {go},0", "ours: the form chan_quectel reads"),
    },
    {"tries": "+QPINC", "iccid": "+QCCID", "tones": "+QTONEDET"},
    ("RDY", "+CFUN: 1", "+CPIN: READY", '+QIND: SMS DONE', '+QIND: PB DONE'),
    "qpcmv",
    ("SM", "ME", "SR"),
    {"report_kinds": "02", "capacity_me": 255},
)  # fmt: skip
UBLOX = Family(
    "ublox",
    "ublox",
    ("u-blox Toby-L2", "u-blox LARA", "u-blox"),
    "35216205",
    "ERROR",
    1,
    {
        **COMMON_OURS,
        "AT+CGMI": ("u-blox", "ours: 27.007 5.1"),
        "AT+CGMM": ("TOBY-L210", "ours: 27.007 5.2"),
        "AT+CGMR": ("09.71", "ours: 27.007 5.3"),
    },
    COMMON_ACCEPTED | {"AT+UDTMFD", "AT+UPSV", "AT+UMGC", "AT+UCALLSTAT"},
    {
        **COMMON_WORDS,
        "iccid": Words("+CCID: {iccid}", "ours: u-blox's form"),
        "pin-tries": Words("+UPINCNT: {pin},3,{puk},10", "record: u-blox"),
        "full": Words('+UMSGFULL: "{memory}"', "ours: no form is known"),
        "noise": Words("+CIEV: 2,{level}", "ours: 27.007 8.10, indicator of the signal"),
        "dtmf": Words("+UUDTMFD: {digit}", "ours: u-blox's form"),
        "ucallstat": Words("+UCALLSTAT: {index},{state}", "ours: u-blox's form"),
        "sim-gone": Words("+CPIN: NOT INSERTED", "record: SIM800 series"),
    },
    {"tries": "+UPINCNT", "iccid": "+CCID", "tones": "+UDTMFD"},
    (),
    "",
    ("SM", "ME", "SR"),
    {"deaf_seconds": 0.5, "report_kinds": "12"},
)
WORST = replace(
    HUAWEI,
    name="worst",
    maker="worst",
    tac="35000000",
    ours={
        **HUAWEI_OURS,
        "AT+CGMI": ("+CGMI: worst of all", "ours: 27.007 5.1, with its name in front"),
        "AT+CGMM": ("+CGMM: Modem 0", "ours: 27.007 5.2, with its name in front"),
        "AT+CGMR": ("+CGMR: 0.0.1", "ours: 27.007 5.3, with its name in front"),
    },
    words={**HUAWEI.words, "cmti": Words('+CMTI: "{memory}",{index},"MMS PUSH",2,1', "record: SIM900/SIM800 (MMS)")},
    own={"tries": "", "iccid": "+CCID", "tones": "^DDTMFCFG"},
    boot=("", "RDY", "^BOOT:18903001,0,0,0,75", "+ZUSIMR:2", "DST: 0", "Call Ready", "SMS Ready"),
    quirks={
        "terminator": "\r\r\n", "garbage": "00ff", "dribble": 0.001, "noise": 0.7, "memory_lie": True,
        "wrong_length": True, "readable_after": 1.0, "deaf_seconds": 1.0, "sim_busy_seconds": 1.0,
        "sms_busy_seconds": 2.0, "delete_fails": 2, "empty_slot": "ok", "prompt": "\n>", "prompt_seconds": 0.5,
        "ussd_request": "packed", "ussd_answer": "ucs2-dcs15", "capacity_sr": 0, "capacity_sm": 10,
        "report_statuses": "30,00", "bearer": True, "urcs_between": True, "join": True, "report_kinds": "02",
        "plain_errors": True,
    },
)  # fmt: skip
FAMILIES: Mapping[str, Family] = {
    family.name: family for family in (HUAWEI, E1550, SIM7600, SIM800, EC25, UBLOX, WORST)
} | {"e1752": HUAWEI}
MAKES = (("sim800", SIM800), ("sim7", SIM7600), ("quectel", EC25), ("ec25", EC25), ("u-blox", UBLOX), ("e1550", E1550))
LONGEST_RECORD = 8 * 1024 * 1024


def family(name: str) -> Family:
    """A profile by its name, or by the name of a file of recorded talk. Raises ValueError with a sentence."""
    if name.endswith(".jsonl"):
        return from_record(Path(name))
    if name not in FAMILIES:
        raise ValueError(f"there is no modem {name}; there are: {', '.join(FAMILIES)}, and files of `record`")
    return FAMILIES[name]


def from_record(path: Path) -> Family:
    """A modem that answers as a recorded one did, on the ground of the family it belongs to. Raises ValueError."""
    try:
        if path.stat().st_size > LONGEST_RECORD:
            raise ValueError("the record is longer than 8 MiB")
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"the record cannot be read: {error}") from None
    good = [row for row in rows if isinstance(row, dict) and isinstance(row.get("response"), str)]
    if not good:
        raise ValueError("there is no talk in the record")
    names = " ".join(str(row.get("model")) + str(row["response"]) for row in good).lower()
    base = next((found for word, found in MAKES if word in names), HUAWEI)
    return replace(base, name=path.stem, rows=tuple(good))
