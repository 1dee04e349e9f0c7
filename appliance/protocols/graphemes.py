"""Letters as a reader sees them: where a text may be cut. A short form of Unicode's annex 29, with the rules that
matter to messages: accents, joined emoji, flags, skin tones, Hangul syllables. Pure and total."""

from collections.abc import Iterator
from unicodedata import category, combining

JOINER = "\u200d"
MARKS = {"Mn", "Me", "Mc"}


def clusters(text: str) -> Iterator[str]:
    """The text in pieces that stay together; joined they are the text."""
    if text.isascii():  # most of them: only CR LF stays together
        yield from (text if "\r\n" not in text else _grouped(text))
        return
    yield from _grouped(text)


def _grouped(text: str) -> Iterator[str]:
    start, flags = 0, 0
    for at in range(1, len(text)):
        flags = flags + 1 if _is_flag(text[at - 1]) else 0
        if not _stay_together(text[at - 1], text[at], flags):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _stay_together(before: str, char: str, flags: int) -> bool:
    """Whether there is no border between two neighbours; `flags`: regional letters up to `before`."""
    if before == "\r" and char == "\n":
        return True
    if before < " ":
        return False
    if _extends(char) or before == JOINER:
        return True
    if _is_flag(char):
        return flags % 2 == 1
    return _hangul(before, char)


def _extends(char: str) -> bool:
    return (
        char in ("\u200c", JOINER)
        or category(char) in MARKS
        or combining(char) != 0
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # tags of flags
    )


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _hangul(before: str, char: str) -> bool:
    """A syllable written in letters: leading consonant, vowel, trailing consonant."""
    lead, vowel, trail = "\u1100" <= before <= "\u115f", "\u1160" <= before <= "\u11a7", "\u11a8" <= before <= "\u11ff"
    syllable = "\uac00" <= before <= "\ud7a3"
    if "\u1100" <= char <= "\u115f" or "\uac00" <= char <= "\ud7a3":
        return lead
    if "\u1160" <= char <= "\u11a7":
        return lead or vowel or syllable
    if "\u11a8" <= char <= "\u11ff":
        return vowel or trail or syllable
    return False
