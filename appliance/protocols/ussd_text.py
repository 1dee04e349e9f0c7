"""What a modem writes about USSD, read by its content, and codes in the three forms that modems want (3GPP TS 27.007
7.15, TS 23.038 5).

Modems disagree about everything but the status: text in quotes or without, packed septets, octets or UCS-2 in hex, a
coding scheme (dcs) that says something else, a language in front, memory that was never written behind. So the dcs is
believed only when what it says gives a readable text; else the most readable of the candidates wins. What a modem was
seen to do once (`known`) decides where content alone cannot: "1234" is text for one and hex for another.
"""

import re
import unicodedata
from dataclasses import dataclass

from appliance.protocols.alphabet import gsm7, pack, ucs2, unpack

LONGEST = 4096  # characters of a whole answer; 182 septets are the most the network sends (TS 23.038 4)
FORMS = ("plain", "packed", "ucs2")  # how a request is written, in the order they are tried
SHORTEST_HEX = 8  # hex digits: shorter is a word or a number, unless the modem is known to write hex
SURE_HEX = 40  # hex digits: so long a word is none, whatever the modem did before
LONGEST_NUMBER = 14  # digits alone, of a balance or a date
READABLE = 0.75

_LINE = re.compile(r"\+CUSD:\s*(\d{1,2})\s*(?:,(.*))?\Z", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r'\s*"(.*)"\s*(?:,\s*(\d{1,3})?\s*)?\Z', re.DOTALL)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
_DCS = frozenset({0, 1, 15, 17, 68, 72})  # those that stand behind text without quotes
_COMMON = frozenset(" .,:;!?*#+-/()'\"%&=@_<>[]\r\n€$£")


@dataclass(frozen=True, slots=True)
class UssdText:
    """+CUSD. `status` is m of 27.007: 0 done, 1 an answer is wanted, 2 ended by the network, 3 another answered, 4 not
    supported, 5 no answer of the network. `form`: text, gsm7-packed-hex, ucs2-hex, ucs2-hex-with-language, octets-hex;
    `quoted` is false for text that may go on in the next line."""

    status: int
    text: str = ""
    form: str = "text"
    dcs: int | None = None
    language: str = ""
    quoted: bool = True


def read(line: str, known: str = "") -> UssdText | None:
    """A +CUSD line, or several joined by line feeds; None when it is none. `known`: the form this modem used before."""
    found = _LINE.match(line[:LONGEST].strip(" \t\r\n"))
    if found is None:
        return None
    status, rest = int(found[1]), found[2]
    if rest is None:
        return UssdText(status)
    quoted = _QUOTED.match(rest)
    if quoted:
        body, dcs = quoted[1], int(quoted[2]) if quoted[2] else None
    else:
        body, dcs = _bare(rest)
    text, form, language = decode(body, dcs, known)
    return UssdText(status, _harmless(text), form, dcs, language, bool(quoted) or form != "text")


def _harmless(text: str) -> str:
    """Without what steers a terminal or turns the direction of writing; any end of a line is one line feed."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        char for char in lines if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")
    )


def _bare(rest: str) -> tuple[str, int | None]:
    """Text without its closing quote: a number at its end is a dcs behind hex, or when it is a likely one."""
    whole = rest.strip().removeprefix('"')
    body, comma, last = whole.rpartition(",")
    number = last.strip()
    if comma and re.fullmatch(r"[0-9]{1,3}", number) and (_HEX.match(body) or int(number) in _DCS):
        return body, int(number)
    return whole, None


def decode(body: str, dcs: int | None, known: str = "") -> tuple[str, str, str]:
    """The text, the form it came in, and the language that stood in front of it ("" for none). Total."""
    packed_hex = body.strip()
    if not _HEX.match(packed_hex):
        return body, "text", ""
    octets = bytes.fromhex(packed_hex)
    wide = _ucs2(octets, dcs)
    if _says_ucs2(dcs) and wide and _score(wide[0]) > 0:
        return wide
    looks_plain = len(packed_hex) < SHORTEST_HEX or (packed_hex.isdigit() and len(packed_hex) <= LONGEST_NUMBER)
    if known == "text" and len(packed_hex) < SURE_HEX:
        return body, "text", ""
    if looks_plain and known not in ("gsm7-packed-hex", "ucs2-hex", "octets-hex"):
        return body, "text", ""
    candidates = [(_octets(octets), "octets-hex", ""), wide, (_packed(octets), "gsm7-packed-hex", "")]
    likely = [one for one in candidates if one and one[0]]
    best = max(likely, key=lambda one: (_score(one[0]), one[1] == known), default=None)
    if best is None or _score(best[0]) < READABLE:
        remembered = next((one for one in likely if one[1] == known), None)
        return remembered or best or (body, "text", "")
    return best


def encode(code: str, form: str) -> str:
    """A code of `* # 0-9` as this form of request wants it: *100# is AA180C3602 packed, 002A... in UCS-2."""
    if form == "packed":
        septets = [ord(char) for char in code]
        if len(septets) % 8 == 7:
            septets.append(0x0D)  # else the seven spare bits would be an @ (TS 23.038 6.1.2.3.1)
        return pack(septets).hex().upper()
    return "".join(f"{ord(char):04X}" for char in code) if form == "ucs2" else code


def _says_ucs2(dcs: int | None) -> bool:
    """TS 23.038 5: 0x11, and the groups 01xx and 1001 with the alphabet 10."""
    return dcs is not None and (dcs == 0x11 or (dcs >> 4 in (4, 5, 6, 7, 9) and dcs & 0x0C == 0x08))


def _ucs2(octets: bytes, dcs: int | None) -> tuple[str, str, str] | None:
    """Up to the first unit that is none: behind it lies memory that was never written."""
    if len(octets) % 2:
        return None
    language = ""
    if dcs == 0x11 and len(octets) >= 2:  # two septets of a language in the first two octets
        language = gsm7(unpack(octets[:2], 2))
        if re.fullmatch(r"[a-z]{2}", language):
            octets = octets[2:]
        else:
            language = ""
    text = re.split("[\0\uffff]", ucs2(octets), maxsplit=1)[0]
    if not text or not all(char.isprintable() or char in "\r\n\t" for char in text):
        return None
    return text, "ucs2-hex-with-language" if language else "ucs2-hex", language


def _packed(octets: bytes) -> str:
    text = gsm7(unpack(octets, len(octets) * 8 // 7))
    spare = len(octets) % 7 == 0  # room for one septet more than was sent
    return text[:-1] if spare and text[-1:] in ("@", "\r") else text


def _octets(octets: bytes) -> str:
    plain = all(32 <= octet < 127 or octet in (9, 10, 13) for octet in octets)
    return octets.decode("ascii") if plain else ""


def _score(text: str) -> float:
    """The share of characters that people write to each other; ideographs count half, since any noise gives some."""
    worth = sum(
        1.0 if char in _COMMON or (char.isalnum() and ord(char) < 0x0700) else 0.5 if char.isalnum() else 0.0
        for char in text
    )
    return worth / len(text) if text else 0.0
