"""The forms in which devices take a USSD code and give its answer (27.007 7.15, 23.038 5, and what devices made of it).

The default alphabet packed, UCS-2 in hex under the right coding number and under wrong ones, with a language in front,
octets, text without quotes: each was seen somewhere.
"""

from appliance.virtual.alphabet import letters_to_septets, pack, septets_to_text, unpack

CARRIAGE_RETURN = 0x0D
LANGUAGE = "pl"
# form -> (how the text becomes the string, number of the coding; -1 = none is given; in quotes)
FORMS: dict[str, tuple[str, int, bool]] = {
    "plain": ("text", 15, True),
    "plain-dcs0": ("text", 0, True),
    "plain-no-dcs": ("text", -1, True),
    "packed": ("packed", 15, True),
    "packed-dcs1": ("packed", 1, True),
    "packed-dcs0": ("packed", 0, True),
    "packed-unquoted": ("packed", -1, False),
    "ucs2": ("ucs2", 72, True),
    "ucs2-dcs15": ("ucs2", 15, True),
    "ucs2-dcs7": ("ucs2", 7, True),
    "ucs2-dcs0": ("ucs2", 0, True),
    "ucs2-language": ("language", 17, True),
    "octets": ("octets", 0, True),
}


def septets_of(text: str) -> list[int] | None:
    """The text in the default alphabet, or None when it has letters that are not in it."""
    letters = letters_to_septets(text)
    return None if letters is None else [code for letter in letters for code in letter]


def packed(text: str) -> bytes | None:
    """Packed septets; seven bits that are left over are a carriage return (23.038 6.1.2.3.1)."""
    septets = septets_of(text)
    if septets is None:
        return None
    if len(septets) % 8 == 7 or (len(septets) % 8 == 0 and septets and septets[-1] == CARRIAGE_RETURN):
        septets.append(CARRIAGE_RETURN)
    return pack(septets)


def unpacked(data: bytes) -> str:
    """The text of packed septets."""
    septets = unpack(data, len(data) * 8 // 7)
    if septets and len(septets) % 8 == 0 and septets[-1] == CARRIAGE_RETURN:
        septets.pop()
    return septets_to_text(septets)


def answer(result: int, text: str, form: str, charset: str = "GSM") -> str:
    """The +CUSD line. `result` is its m; a text that the form cannot hold comes as UCS-2. Raises ValueError."""
    if form not in FORMS:
        raise ValueError(f"there is no form {form}; there are: {', '.join(FORMS)}")
    if not text:
        return f"+CUSD: {result}"
    how, coding, quoted = FORMS[form]
    if how != "octets" and how not in ("ucs2", "language") and septets_of(text) is None:
        how, coding, quoted = "ucs2", 72, True
    if how == "text" and charset == "UCS2":
        how = "ucs2"
    string = _string(text, how)
    if not quoted:
        return f"+CUSD: {result}, {string}"
    return f'+CUSD: {result},"{string}"' + (f",{coding}" if coding >= 0 else "")


def _string(text: str, how: str) -> str:
    if how == "packed":
        return (packed(text) or b"").hex().upper()
    if how == "ucs2":
        return text.encode("utf-16-be").hex().upper()
    if how == "language":
        return ((packed(LANGUAGE) or b"") + text.encode("utf-16-be")).hex().upper()
    if how == "octets":
        return text.encode("latin-1", "replace").hex().upper()
    return text


def request(string: str, form: str, charset: str = "GSM") -> str | None:
    """The code a program asked for, or None when it is not in the form this device wants."""
    if form == "plain" and charset == "UCS2":
        form = "ucs2"
    try:
        if form == "packed":
            return unpacked(bytes.fromhex(string))
        if form == "ucs2":
            return bytes.fromhex(string).decode("utf-16-be")
    except (ValueError, UnicodeError):
        return None
    return string
