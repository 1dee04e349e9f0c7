"""What the virtual modem says: answers of real devices where there is one on record, else the standard's form.

`data/at_transcripts.jsonl` holds what devices were seen to answer, with its origin. `OURS` holds what no record has, in
the form 3GPP TS 27.005 and 27.007 give, or the form that drivers of the family read; the second column says which.
Lines with live facts (a caller, a slot) are templates, `WORDS`; each names the record or the clause it follows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FINALS = ("OK", "ERROR", "COMMAND NOT SUPPORT", "NO CARRIER", "BUSY", "NO ANSWER")


@dataclass(frozen=True, slots=True)
class Words:
    """A line with live facts, and where its form comes from: `record: MODEL` or `ours: CLAUSE`."""

    form: str
    source: str


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of modem: the models whose records it answers with, its own commands and forms."""

    name: str
    models: tuple[str, ...]
    unknown: str
    first_slot: int
    ours: Mapping[str, tuple[str, str]]
    accepted: frozenset[str]
    words: Mapping[str, Words]
    boot: tuple[str, ...] = ()
    audio: str = ""


COMMON_OURS: dict[str, tuple[str, str]] = {
    "ATI": ("Virtual modem", "ours: ITU-T V.250 6.1.3"),
    "AT+GCAP": ("+GCAP: +CGSM,+DS,+ES", "ours: ITU-T V.250 6.1.9"),
    "AT+CPIN=?": ("", "ours: 27.007 8.3"),
    "AT+CMGF=?": ("+CMGF: (0,1)", "ours: 27.005 3.2.3"),
    "AT+CNMI=?": ("+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)", "ours: 27.005 3.4.1"),
    "AT+CLIP=?": ("+CLIP: (0,1)", "ours: 27.007 7.6"),
    "AT+CSMS=?": ("+CSMS: (0,1)", "ours: 27.005 3.2.1"),
    "AT+CSCS=?": ('+CSCS: ("GSM","IRA","UCS2")', "ours: 27.007 5.5"),
    "AT+CPMS=?": ('+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")', "ours: 27.005 3.2.2"),
    "AT+CREG=?": ("+CREG: (0-2)", "ours: 27.007 7.2"),
    "AT+CLCC=?": ("", "ours: 27.007 7.18"),
    "AT+VTS=?": ("+VTS: (0-9,A-D,*,#)", "ours: 27.007 C.2.11"),
    "AT+CSCA?": ('+CSCA: "+48501200777",145', "ours: 27.005 3.3.1"),
    "AT+CNUM": ("", "ours: 27.007 7.1, a SIM that does not know its number"),
    "AT+CLAC": ("", "ours: 27.007 8.37"),
}
COMMON_ACCEPTED = frozenset(
    [
        "AT+CSSN",
        "AT+CMMS",
        "AT+CSCA",
        "AT+CVHU",
        "AT+CLIR",
        "AT+COLP",
        "AT+CMOD",
        "AT+CRLP",
        "AT+IPR",
        "AT+ICF",
        "AT+IFC",
        "AT+CUSD",
        "AT+CTZR",
        "AT+CTZU",
        "AT+CLVL",
        "AT+CMUT",
        "AT+CGREG",
        "AT+CEREG",
        "AT+CR",
        "AT+ILRR",
        "AT+CSDH",
        "AT+CMER",
        "AT+CIND",
        "AT+CSTA",
        "AT+VTD",
        "AT+CSAS",
    ]
)
COMMON_WORDS: dict[str, Words] = {
    "clip": Words('+CLIP: "{number}",{type},,,,{validity}', "record: Huawei K3715"),
    "cring": Words("+CRING: VOICE", "record: Huawei K3715"),
    "ring": Words("RING", "ours: 27.007 annex B"),
    "cmti": Words('+CMTI: "{memory}",{index}', "record: Huawei (thread 31)"),
    "ccwa": Words('+CCWA: "{number}",{type},1', "record: generic"),
    "clcc": Words('+CLCC: {index},{direction},{state},0,0,"{number}",{type}', "record: SimTech SIM7xxx"),
    "clcc-hidden": Words("+CLCC: {index},{direction},{state},0,0", "record: SimTech SIM7xxx"),
    "creg": Words('+{name}: {stat},"{lac}","{cell}",{act}', "ours: 27.007 7.2"),
    "creg-read": Words('+{name}: {n},{stat},"{lac}","{cell}",{act}', "ours: 27.007 7.2"),
    "cpms": Words("+CPMS: {u1},{t1},{u2},{t2},{u3},{t3}", "record: Huawei E1752"),
    "cmgr": Words("+CMGR: {stat},,{length}", "record: Huawei (thread 217)"),
    "cmgl": Words("+CMGL: {index},{stat},,{length}", "record: Huawei (thread 522)"),
    "cmt": Words("+CMT: ,{length}", "ours: 27.005 3.4.1"),
    "cds": Words("+CDS: {length}", "ours: 27.005 3.4.1"),
    "cdsi": Words('+CDSI: "{memory}",{index}', "record: SIM7600 (Waveshare hat)"),
    "cmgs": Words("+CMGS: {reference}", "record: SIM7600 (Waveshare hat)"),
    "cops": Words('+COPS: 0,{format},"{name}",{act}', "ours: 27.007 7.3"),
    "csq": Words("+CSQ: {signal},99", "ours: 27.007 8.5"),
}

HUAWEI = Family(
    "huawei",
    ("Huawei E1752", "Huawei K3715", "Huawei E160G", "Huawei E1550", "Huawei E303", "Huawei"),
    "COMMAND NOT SUPPORT",
    0,
    {
        **COMMON_OURS,
        "AT^CVOICE?": ("^CVOICE:0,8000,16,20", "ours: the form wdoekes/asterisk-chan-dongle reads"),
        "AT^CVOICE=?": ("^CVOICE:(0)", "ours: the form wdoekes/asterisk-chan-dongle reads"),
        "AT^DDSETEX=?": ("^DDSETEX:(2)", "ours: the form wdoekes/asterisk-chan-dongle reads"),
        "AT^U2DIAG?": ("^U2DIAG:0", "ours: the form wdoekes/asterisk-chan-dongle reads"),
    },
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
    },
    ("^SIMST:1", "^SRVST:2", "^MODE:5,4"),
    "ddsetex",
)
SIM7600 = Family(
    "sim7600",
    ("SIM7600G-H", "SIM7600G", "SIM7600", "SIM7600 (Waveshare hat)", "SimTech SIM7xxx"),
    "ERROR",
    0,
    {
        **COMMON_OURS,
        "AT+CGMI": ("SIMCOM INCORPORATED", "ours: 27.007 5.1"),
        "AT+CGMM": ("SIMCOM_SIM7600E", "ours: 27.007 5.2"),
        "AT+CGMR": ("+CGMR: LE20B05SIM7600E22", "ours: 27.007 5.3"),
        "AT+CGSN": ("861477030032237", "ours: 27.007 5.4"),
        "AT+CIMI": ("260031234567890", "ours: 27.007 5.6"),
        "AT+CPCMREG=?": ("+CPCMREG: (0-1)", "ours: SIMCom's audio note"),
    },
    COMMON_ACCEPTED | {"AT+CPCMFRM", "AT+CPCMBANDWIDTH", "AT+DDET", "AT+CNMP", "AT+AUTOCSQ", "AT+CSDVC", "AT+MORING"},
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
    },
    ("RDY", "+CPIN: READY", "SMS DONE", "PB DONE"),
    "cpcmreg",
)
EC25 = Family(
    "ec25",
    ("Quectel EC25", "Quectel EC200T", "Quectel"),
    "ERROR",
    0,
    {
        **COMMON_OURS,
        "AT+CGMI": ("Quectel", "ours: 27.007 5.1"),
        "AT+CGMM": ("EC25", "ours: 27.007 5.2"),
        "AT+CGMR": ("EC25EFAR06A06M4G", "ours: 27.007 5.3"),
        "AT+CGSN": ("866758045439136", "ours: 27.007 5.4"),
        "AT+CIMI": ("260031234567890", "ours: 27.007 5.6"),
        "AT+QPCMV=?": ("+QPCMV: (0,1),(0-2)", "ours: Quectel's voice-over-USB note"),
    },
    COMMON_ACCEPTED | {"AT+QINDCFG", "AT^DSCI", "AT+QTONEDET", "AT+QURCCFG", "AT+QCFG", "AT+QGPSCFG", "AT+QEEC",
                       "AT+QDAI", "AT+QRXGAIN", "AT+QMIC"},
    {
        **COMMON_WORDS,
        "iccid": Words("+QCCID: {iccid}", "ours: Quectel's form"),
        "pin-tries": Words('+QPINC: "SC",{pin},{puk}', "ours: the form ofono reads"),
        "ccinfo": Words(
            '+QIND: "ccinfo",{index},{direction},{state},0,0,"{number}",{type}', "ours: the form chan_quectel reads"
        ),
        "full": Words('+QIND: "SMS_FULL","{memory}"', "ours: the form chan_quectel reads"),
        "noise": Words('+QIND: "csq",{signal},99', "ours: the form chan_quectel reads"),
        "dtmf": Words("+QTONEDET: {code}", "ours: the form chan_quectel reads"),
    },
    ("RDY", "+CFUN: 1", "+CPIN: READY", '+QIND: SMS DONE', '+QIND: PB DONE'),
    "qpcmv",
)  # fmt: skip
FAMILIES: Mapping[str, Family] = {family.name: family for family in (HUAWEI, SIM7600, EC25)}


@cache
def records() -> tuple[dict[str, object], ...]:
    """The rows of the transcripts file."""
    text = files("appliance.virtual").joinpath("data", "at_transcripts.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines() if line)


def recorded(family: Family, command: str) -> bytes | None:
    """What a device of the family was seen to answer, without its echo, with a final result added where it was cut."""
    wanted = command.upper()
    for model in family.models:
        for row in records():
            if row["model"] == model and not row.get("urc") and str(row["command"]).upper() == wanted:
                return _whole(str(row["response"]), str(row["command"]), bool(row.get("complete")))
    return None


def _whole(response: str, command: str, complete: bool) -> bytes:
    if response.startswith(command + "\r"):
        response = response[len(command) + 1 :]
    if not complete:
        response = "\r\n" + response.strip("\r\n") + "\r\n\r\nOK\r\n"
    return response.encode("latin-1", "replace")


def information(raw: bytes) -> list[str]:
    """The lines of an answer before its final result."""
    lines = [line for line in raw.decode("latin-1").replace("\r", "\n").split("\n") if line]
    return lines[:-1] if lines and (lines[-1] in FINALS or "ERROR" in lines[-1]) else lines
