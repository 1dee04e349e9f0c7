"""What the virtual modem says: answers of real devices where there is one on record, else the standard's form.

`data/at_transcripts.jsonl` holds what devices were seen to answer, with its origin. `OURS` holds what no record has, in
the form 3GPP TS 27.005 and 27.007 give, or the form that drivers of the family read; the second column says which.
Lines with live facts (a caller, a slot) are templates, `WORDS`; each names the record or the clause it follows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Words:
    """A line with live facts, and where its form comes from: `record: MODEL` or `ours: CLAUSE`."""

    form: str
    source: str


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of modem: the models whose records it answers with, its own commands and forms.

    `own` names the command each family gives to a thing all have: "tries", "iccid", "tones". `boot` is what it says
    after power-on; `quirks` are the switches that make this profile (`quirks.py`); `rows` is a record of one device.
    """

    name: str
    maker: str
    models: tuple[str, ...]
    tac: str
    unknown: str
    first_slot: int
    ours: Mapping[str, tuple[str, str]]
    accepted: frozenset[str]
    words: Mapping[str, Words]
    own: Mapping[str, str]
    boot: tuple[str, ...] = ()
    audio: str = ""
    memories: tuple[str, ...] = ("SM", "ME", "SR")
    quirks: Mapping[str, object] = field(default_factory=dict)
    rows: tuple[Mapping[str, object], ...] = ()


COMMON_OURS: dict[str, tuple[str, str]] = {
    "ATI": ("Virtual modem", "ours: ITU-T V.250 6.1.3"),
    "AT+GCAP": ("+GCAP: +CGSM,+DS,+ES", "ours: ITU-T V.250 6.1.9"),
    "AT+CPIN=?": ("", "ours: 27.007 8.3"),
    "AT+CMGF=?": ("+CMGF: (0,1)", "ours: 27.005 3.2.3"),
    "AT+CLIP=?": ("+CLIP: (0,1)", "ours: 27.007 7.6"),
    "AT+CSMS=?": ("+CSMS: (0,1)", "ours: 27.005 3.2.1"),
    "AT+CSCS=?": ('+CSCS: ("GSM","IRA","UCS2")', "ours: 27.007 5.5"),
    "AT+CREG=?": ("+CREG: (0-2)", "ours: 27.007 7.2"),
    "AT+CLCC=?": ("", "ours: 27.007 7.18"),
    "AT+VTS=?": ("+VTS: (0-9,A-D,*,#)", "ours: 27.007 C.2.11"),
    "AT+CPOL?": ('+CPOL: 1,2,"26003"', "ours: 27.007 7.19"),
    "AT+CPOL=?": ("+CPOL: (1-20),(0-2)", "ours: 27.007 7.19"),
    "AT+CCFC=?": ("+CCFC: (0-5)", "ours: 27.007 7.11"),
    "AT+CCWA=?": ("+CCWA: (0,1)", "ours: 27.007 7.12"),
    "AT+CLIR=?": ("+CLIR: (0-2)", "ours: 27.007 7.7"),
    "AT+COLP=?": ("+COLP: (0,1)", "ours: 27.007 7.8"),
    "AT+CUSD=?": ("+CUSD: (0-2)", "ours: 27.007 7.15"),
    "AT+CLCK=?": ('+CLCK: ("SC","AO","OI","OX","AI","IR")', "ours: 27.007 7.4"),
    "AT+CTZR=?": ("+CTZR: (0,1)", "ours: 27.007 8.41"),
    "AT+CTZU=?": ("+CTZU: (0,1)", "ours: 27.007 8.40"),
    "AT+CCLK=?": ("", "ours: 27.007 8.15"),
    "AT+CESQ=?": ("+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-255),(0-34,255),(0-97,255)", "ours: 27.007 8.69"),
    "AT+CLAC": ("", "ours: 27.007 8.37"),
}
ACCEPTED = "CSSN CVHU CMOD CRLP IPR ICF IFC CLVL CMUT CR ILRR CSDH CMER CIND CSTA VTD CSAS CPOL CMIC ECHO CSMP CMMS"
COMMON_ACCEPTED = frozenset(f"AT+{name}" for name in ACCEPTED.split())
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


@cache
def records() -> tuple[dict[str, object], ...]:
    """The rows of the transcripts file."""
    text = files("appliance.virtual").joinpath("data", "at_transcripts.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines() if line)


def recorded(family: Family, command: str) -> bytes | None:
    """What a device of the family was seen to answer, without its echo, with a final result added where it was cut."""
    wanted = command.upper()
    for row in family.rows:
        if not row.get("urc") and str(row.get("command")).upper() == wanted:
            return _whole(str(row["response"]), str(row["command"]), bool(row.get("complete")))
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
    if response[:1] not in "\r\n":  # some records begin behind the frame that every device sends (V.250 5.7.1)
        response = "\r\n" + response
    return response.encode("latin-1", "replace")
