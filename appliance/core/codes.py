"""The one-time code in a message, if there is one: in the five languages of the box and the forms of services. Pure.

A number counts as a code only where a word of the message says so, or where the message ends with the line that
browsers read ("@example.com #123456", the draft "Origin-bound one-time codes"). Of several numbers the one nearest to
that word wins, one after it before one in front of it. What is evidently something else never counts: prices, dates,
times, phone and parcel numbers, lengths of time, the last digits of a card.
"""

import re

LONGEST_TEXT = 1000
AFTER, BEFORE = 90, 60  # letters between the word and the code

_WORDS = re.compile(
    r"(?<![^\W_])(?:(?:pass|sms[- ]?)?(?:codes?|cod|codul|codului|kod|kodem|kodu|kodzie)|c[oó]digo|clave|contraseña|"
    r"код|коду|кодом|пароль|паролю|паролем|has[lł][oa]|has[lł]em|parol[aă]|parola|password|passwort|otp|m?tan|pin|"
    r"one[- ]time)(?![^\W_]| of )",
    re.IGNORECASE,
)
_OTHER = re.compile(  # words before a number that say it is something else
    r"(?:postal|pocztowy|postcode|zip|area code|kierunkowy|order|zam[oó]wieni\w+|pedido|comand\w+|замовлення|parcel|"
    r"paczk\w+|przesy[lł]k\w+|paquete|env[ií]o|colet\w*|awb|посилк\w+|ттн|накладн\w+|tracking|invoice|faktur\w+|factura|"
    r"рахун\w+|rachun\w+|account|konto|konta|cuenta|cont|card|kart[ayęą]|tarjeta|карт\w+|ending(?: in| with)?|"
    r"ko[nń]cz\w+|terminada en|ref|referenc\w+|referin\w+|client|klient\w*|tel|phone|telefon\w*|call|"
    r"zadzwo\w+|year|rok\w*)"
    r"[\s.:#№]*(?:(?:no|nr|numer|number|num|n[uú]mero|num[aă]r\w*|номер|№)[\s.:]*)?$",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s?(?:z[lł]|pln|eur|euro|€|usd|\$|£|gbp|uah|грн|₴|ron|lei|%|kb|mb|gb|min|minut\w*|sek\w*|sec\w*|seg\w*|хв\w*|сек\w*|"
    r"godz\w*|hours?|horas?|ore|год\w*|dni|days?|d[ií]as?|zile|дн\w*|pkt|points?|words|times)(?![^\W_])",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"(?<![\w+.,:/#*-])(?P<mark>[A-Z]{1,3}-)?(?P<code>\d{3}[ \u00a0-]\d{3}|\d{2}[ -]\d{2}[ -]\d{2}|\d{4,8})"
    r"(?![\w:/*-]|[.,]\d|[ \u00a0-]\d)"
)
_MIXED = re.compile(r"(?<![\w+.,:/@#-])(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{5,10}(?![\w@/-]|[.,]\w)")
_LETTERS_TO_CODE = re.compile(r"[\s:=\-–—\"'«„(]*(?:is|to|jest|es|este|are|це|є)?[\s:=\-–—\"'«„(]*")
_BOUND = re.compile(r"^@[\w.-]+\.[\w-]+ #(?P<code>[A-Za-z0-9]{4,10})(?: @[\w.-]+)?\s*$", re.MULTILINE)
_YEAR = re.compile(r"(?:19|20)\d\d")


def code_in(text: str) -> str:
    """The code as it is typed in, without spaces or dashes and without a mark like "G-"; "" when there is none."""
    text = text[:LONGEST_TEXT]
    bound = _BOUND.search(text)
    if bound:
        return bound["code"]
    words = [word.span() for word in _WORDS.finditer(text)]
    if not words:
        return ""
    found = [(weight, match) for match in _DIGITS.finditer(text) if (weight := _weight(text, match, words)) is not None]
    best = min(found, key=lambda one: one[0], default=None)
    mixed = _mixed_after(text, words)
    if mixed and (best is None or best[0] > 10):
        return mixed
    return re.sub(r"\D", "", best[1]["code"]) if best else ""


def grouped(code: str) -> str:
    """For the eye: six digits as "482 913", eight as "4829 1355", others as they are."""
    if code.isdecimal() and len(code) in (6, 8):
        half = len(code) // 2
        return f"{code[:half]} {code[half:]}"
    return code


def _weight(text: str, match: re.Match[str], words: list[tuple[int, int]]) -> int | None:
    """How far the number is from a word for a code; None when it is none."""
    start, end = match.span("code")
    if _UNIT.match(text, end) or re.search(r"[$€£₴]\s?$", text[max(0, start - 2) : start]):
        return None
    if _OTHER.search(text[max(0, match.start() - 30) : match.start()]):
        return None
    distances = [start - until for _, until in words if 0 <= start - until <= AFTER]
    distances += [first - end + 20 for first, _ in words if 0 <= first - end <= BEFORE]
    if not distances:
        return None
    year = 40 if _YEAR.fullmatch(match["code"]) else 0
    return min(distances) + year - (15 if match["mark"] else 0)


def _mixed_after(text: str, words: list[tuple[int, int]]) -> str:
    """Letters and digits count only right behind the word: "code: X7K2P9"."""
    for _, until in words:
        gap = _LETTERS_TO_CODE.match(text, until)
        match = _MIXED.match(text, gap.end()) if gap and gap.end() > until else None
        if match:
            return match[0]
    return ""
