"""What differs between modems, as rows. A new quirk is a new row or a new field, never a branch in the engine."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of modem. Commands are sent in order; a refused one is noted and the next goes out.

    `matches`: maker and model; `extra`: at the end of the initialisation; `audio_on`: in the call, with `audio_tries`;
    `audio_off`: after it; `refuse`, `hang_up`: the first that is taken ends a call; `digit`: {d} is the digit, and
    `digit_pause` the seconds between two; `iccid`: how the SIM's number is asked; `pin_tries`: how the tries left are,
    "" where they cannot be; `first_slot`: where its messages are counted from; `reset`: what restarts the module;
    `card_on`: as `audio_on`, when speech goes over a sound card, and `card_needs_tones`: our digits then have to be
    made as sound; `speech_rate`, `speech_burst`: samples a second on the serial speech port, and frames of 20 ms that
    are written to it at once.
    """

    name: str
    matches: str
    extra: tuple[str, ...] = ()
    audio_on: tuple[str, ...] = ()
    audio_off: tuple[str, ...] = ()
    audio_tries: int = 1
    refuse: tuple[str, ...] = ("AT+CHUP", "ATH")
    hang_up: tuple[str, ...] = ("AT+CHUP", "ATH")
    digit: str = "AT+VTS={d}"
    digit_pause: float = 0.15
    iccid: tuple[str, ...] = ("AT+CCID",)
    pin_tries: str = ""
    first_slot: int = 1
    reset: tuple[str, ...] = ("AT+CFUN=1,1",)
    has_pcm: bool = False
    card_on: tuple[str, ...] = ()
    card_needs_tones: bool = False
    speech_rate: int = 8000
    speech_burst: int = 1


FAMILIES: tuple[Family, ...] = (
    Family(
        "simcom-lte", r"SIM7[0-9]{3}|SIMCOM_SIM7|A76\d\d",
        extra=("AT+CVHU=0", "AT+CLCC=1", "AT+DDET=1"),
        audio_on=("AT+CPCMREG=1",), audio_off=("AT+CPCMREG=0",), audio_tries=4,
        iccid=("AT+CICCID", "AT+CCID"), pin_tries="AT+SPIC", first_slot=0, has_pcm=True,
        reset=("AT+CRESET", "AT+CFUN=1,1"),
    ),
    Family(
        "simcom-2g", r"SIM[89]\d\d|SIMCOM.*SIM8",
        extra=("AT+CLCC=1", "AT+DDET=1"),
        refuse=("ATH", "AT+CHUP"), hang_up=("ATH", "AT+CHUP"), pin_tries="AT+SPIC",
    ),
    Family(
        "quectel", r"QUECTEL|\b(EC|EG|BG|UC|M)\d{2}",
        extra=('AT+QURCCFG="urcport","usbat"', 'AT+QINDCFG="ccinfo",1,0', "AT+QTONEDET=1"),
        audio_on=("AT+QPCMV=1,0",), audio_off=("AT+QPCMV=0",),
        iccid=("AT+QCCID", "AT+CCID"), pin_tries='AT+QPINC="SC"', first_slot=0, has_pcm=True,
        card_on=("AT+QPCMV=1,2",), card_needs_tones=True, speech_burst=5,
    ),
    Family(
        "huawei", r"HUAWEI|\bE\d{3,4}\b|\bK\d{4}\b|MU\d{3}",
        extra=("AT^CURC=1", "AT^DDTMFCFG=0,1", "AT^USSDMODE=0"),
        audio_on=("AT^DDSETEX=2",), digit="AT^DTMF={i},{d}",
        iccid=("AT^ICCID?", "AT+CCID"), pin_tries="AT^CPIN?", first_slot=0, has_pcm=True,
        reset=("AT^RESET", "AT+CFUN=1,1"),
    ),
    Family("zte", r"\bZTE\b|\bMF\d{3}|K35", extra=("AT+ZOPRT=5",), iccid=("AT+ZGETICCID", "AT+CCID")),
    Family("telit", r"TELIT|\b(HE|LE|GE)9\d\d", extra=("AT#DTMF=1",), iccid=("AT#CCID", "AT+CCID"), pin_tries="AT#PCT"),
    Family("u-blox", r"U-BLOX|\b(SARA|LARA|TOBY|LISA)-", iccid=("AT+CCID",), pin_tries="AT+UPINCNT?"),
)  # fmt: skip
OTHERS = Family("others", "")


def family_of(maker_and_model: str) -> Family:
    """The row that fits, or the one of all others."""
    text = maker_and_model.upper()
    return next((family for family in FAMILIES if re.search(family.matches, text)), OTHERS)


# what the modem is told at the start, in order: (command, how its answer begins, seconds, must it be taken)
START: tuple[tuple[str, tuple[str, ...], float, bool], ...] = (
    ("AT", (), 2.0, True),
    ("ATE0", (), 3.0, False),
    ("AT+CMEE=1", (), 3.0, False),
    ("AT+CGMI", ("",), 3.0, False),
    ("AT+CGMM", ("",), 3.0, False),
    ("AT+CGSN", ("+CGSN", ""), 3.0, False),
    ("AT+CFUN?", ("+CFUN",), 5.0, False),
    ("AT+CLCC", ("+CLCC", "^SLCC"), 4.0, False),
)
AFTER_PIN: tuple[tuple[str, tuple[str, ...], float, bool], ...] = (
    ("AT+CMGF=0", (), 10.0, True),
    ('AT+CSCS="GSM"', (), 3.0, False),
    ("AT+CPMS=?", ("+CPMS",), 5.0, False),
    ("AT+CIMI", ("+CIMI", ""), 3.0, False),
    ("AT+CTZU=1", (), 3.0, False),
    ("AT+CTZR=1", (), 3.0, False),
    ("AT+CREG=2", (), 3.0, False),
    ("AT+CGREG=2", (), 3.0, False),
    ("AT+CEREG=2", (), 3.0, False),
    ("AT+CLIP=1", (), 5.0, True),
    ("AT+CRC=0", (), 3.0, False),
    ("AT+CUSD=1", (), 3.0, False),
    ("AT+COPS=3,0", (), 10.0, False),
)
NEW_MESSAGES = (
    "AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,2,0", "AT+CNMI=2,1,0,0,0", "AT+CNMI=1,1,0,1,0", "AT+CNMI=1,1,0,0,0",
)  # fmt: skip  # the first that is taken (27.005 3.4.1)

# the service of the network, (27.007 7.12): who calls while we talk hears busy, or is told to us and refused
CALL_WAITING = {False: "AT+CCWA=0,0,1", True: "AT+CCWA=1,1,1"}
RADIO_OFF_AND_ON: tuple[tuple[str, tuple[str, ...], float, bool], ...] = (
    ("AT+CFUN=0", (), 10.0, False), ("AT+CFUN=1", (), 15.0, False),
)  # fmt: skip
