"""Patterns that an owner types, matched against texts of strangers: bounded in size and in time.

A pattern that takes for ever on an unlucky text (`(a+)+$`) must not stop the box. `regex` has a time limit, which
Python's own `re` has not; it is imported here alone.
"""

import regex

LONGEST_PATTERN = 300
LONGEST_TEXT = 2000
SECONDS = 0.05
UNLUCKY = ("a" * 40 + "!", "1" * 40 + "x", " " * 40 + "x", "1,1." * 10 + "x", "a1 " * 14 + "!")


def fault(pattern: str) -> str:
    """The id of what is wrong with it ("" for nothing): too-long, not-a-regex, slow-regex."""
    if len(pattern) > LONGEST_PATTERN:
        return "too-long"
    try:
        compiled = regex.compile(pattern)
    except (regex.error, ValueError, OverflowError, RecursionError):
        return "not-a-regex"
    try:
        for text in UNLUCKY:
            compiled.search(text, timeout=SECONDS)
    except TimeoutError:
        return "slow-regex"
    return ""


def found(pattern: str, text: str, group: str) -> str | None:
    """What the named group holds, else the first group, else the whole match; None where nothing fits, or not in time.
    Letters fit in both sizes, and a dot also fits the end of a line."""
    try:
        match = regex.search(
            pattern[:LONGEST_PATTERN], text[:LONGEST_TEXT], regex.IGNORECASE | regex.DOTALL, timeout=SECONDS
        )
    except (regex.error, TimeoutError, ValueError, OverflowError, RecursionError):
        return None
    if match is None:
        return None
    groups = match.groupdict()
    if group in groups:
        return str(groups[group]) if groups[group] is not None else None
    return str(match[1]) if match.re.groups and match[1] is not None else str(match[0])


class Compiled:
    """A pattern made ready, for texts that must be answered at once."""

    def __init__(self, pattern: "regex.Pattern[str]") -> None:
        self._pattern = pattern

    def fits(self, text: str, seconds: float = SECONDS) -> bool:
        """Whether it is found in `text`; False also where that is not known in time."""
        try:
            return self._pattern.search(text[:LONGEST_TEXT], timeout=max(seconds, 0.0001)) is not None
        except TimeoutError:
            return False


def compiled(pattern: str) -> Compiled | None:
    """None where it is no pattern. Letters fit in both sizes."""
    try:
        return Compiled(regex.compile(pattern[:LONGEST_PATTERN], regex.IGNORECASE))
    except (regex.error, ValueError, OverflowError, RecursionError):
        return None
