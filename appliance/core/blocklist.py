"""The block and allow list, made ready for questions: thousands of entries cost a call less than half a millisecond.

Whole numbers and beginnings are found by their text, ranges and masks by what they begin with and how long they are,
regular expressions are few and tried one by one within a limit of time. A `Blocklist` is made once for each plan, off
the loop thread where it is large, and never changes.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from appliance.core.entry import Form, expression_of, form_of, limits_of
from appliance.core.model import LineId, Number
from appliance.core.patterns import Compiled, compiled

MOST_EXPRESSIONS = 50
EXPRESSION_SECONDS = 0.004  # for all of them together: a strange number must not hold the loop
RANK = {
    Form.EXACT: 5, Form.KIND: 5, Form.RANGE: 4, Form.MASK: 3, Form.BEGINNING: 2, Form.EXPRESSION: 1, Form.ANYBODY: 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """An entry of the block or allow list. `pattern` as in `core.entry`; `begins` and `ends` (aware, end excluded) are
    the moments between which it holds, None for open. An id of 0 or less is not in the journal and not counted."""

    id: int
    pattern: str
    allow: bool = False
    when: str = "always"  # always | after-hours
    line: LineId | None = None  # None: every line
    what: str = "calls"  # calls | messages | both
    action: str = ""  # "" = the line's own; reject | busy | announce
    reason: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    origin: str = ""  # "" a person; "automatic" too many calls outside hours; "key" pressed the key; "list:NAME"

    def in_force(self, now: datetime, open_now: bool, sure: bool) -> bool:
        """Whether it holds now. With a clock that is not sure no block by time holds, and every permission does."""
        if not sure:
            timed = self.begins is not None or self.ends is not None or self.when == "after-hours"
            return self.allow or not timed
        if self.when == "after-hours" and open_now:
            return False
        return not ((self.begins and now < self.begins) or (self.ends and now >= self.ends))


@dataclass(frozen=True, slots=True)
class Asked:
    """What an entry is asked for: `what` is "calls" or "messages"."""

    line: LineId
    what: str
    now: datetime
    open_now: bool
    sure: bool = True

    def fits(self, entry: Block) -> bool:
        """Whether the entry speaks of this at all, and now."""
        return (
            entry.what in (self.what, "both")
            and entry.line in (None, self.line)
            and entry.in_force(self.now, self.open_now, self.sure)
        )


Test = Callable[[str], bool]


class Blocklist(Sequence[Block]):
    """Entries in the order in which they were made."""

    def __init__(self, entries: Iterable[Block] = ()) -> None:
        self._entries = tuple(entries)
        self._exact: dict[str, list[Block]] = {}
        self._beginnings: dict[str, list[Block]] = {}
        self._bounded: dict[tuple[str, int], list[tuple[Test, Block]]] = {}
        self._expressions: list[tuple[Compiled, Block]] = []
        add = {
            Form.EXACT: self._add_exact, Form.KIND: self._add_exact, Form.ANYBODY: self._add_beginning,
            Form.BEGINNING: self._add_beginning, Form.RANGE: self._add_range, Form.MASK: self._add_mask,
            Form.EXPRESSION: self._add_expression,
        }  # fmt: skip
        for entry in self._entries:
            add[form_of(entry.pattern)](entry)
        self._lengths = sorted({len(start) for start in self._beginnings})
        self._bounded_lengths = sorted({len(start) for start, _ in self._bounded})

    @classmethod
    def of(cls, entries: Iterable[Block]) -> "Blocklist":
        """As it is where it is one already."""
        return entries if isinstance(entries, cls) else cls(entries)

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Block: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Block, ...]: ...
    def __getitem__(self, index: int | slice) -> Block | tuple[Block, ...]:
        return self._entries[index]

    def __iter__(self) -> Iterator[Block]:
        return iter(self._entries)

    def best(self, caller: Number, asked: Asked, *, allow: bool) -> Block | None:
        """The entry that fits `caller` most exactly: a whole number before a range, a mask, a long beginning, a short
        one, an expression; of two equal ones the older. None where none holds."""
        fitting = [entry for entry in self._fitting(caller) if entry.allow is allow and asked.fits(entry)]
        if all(entry.pattern == "*" for entry in fitting):
            fitting += self._expressive(caller, allow, asked)
        return max(fitting, key=_exactness, default=None)

    def _fitting(self, caller: Number) -> Iterator[Block]:
        if not caller.text:
            yield from self._exact.get(str(caller.kind), ())
            return
        text = caller.text.casefold()
        yield from self._exact.get(text, ())
        for length in self._bounded_lengths:
            for total in (len(text), 0):  # 0: more digits may follow
                for test, entry in self._bounded.get((text[:length], total), ()):
                    if test(text):
                        yield entry
        for length in self._lengths:
            if length <= len(text):
                yield from self._beginnings.get(text[:length], ())

    def _expressive(self, caller: Number, allow: bool, asked: Asked) -> Iterator[Block]:
        end = time.perf_counter() + EXPRESSION_SECONDS
        for expression, entry in self._expressions if caller.text else ():
            left = end - time.perf_counter()
            if left <= 0:
                return
            if entry.allow is allow and asked.fits(entry) and expression.fits(caller.text, left):
                yield entry

    def _add_exact(self, entry: Block) -> None:
        self._exact.setdefault(entry.pattern.casefold(), []).append(entry)

    def _add_beginning(self, entry: Block) -> None:
        self._beginnings.setdefault(entry.pattern.rstrip("*"), []).append(entry)

    def _add_range(self, entry: Block) -> None:
        base, first, last, width, more = limits_of(entry.pattern)
        end = len(base) + width

        def inside(text: str) -> bool:
            digits = text[len(base) : end]
            return len(digits) == width and digits.isdecimal() and first <= int(digits) <= last

        self._bounded.setdefault((base, 0 if more else end), []).append((inside, entry))

    def _add_mask(self, entry: Block) -> None:
        bare = entry.pattern.rstrip("*")
        more = bare != entry.pattern
        wanted = re.compile(re.escape(bare).replace(r"\?", "[0-9]"))
        test: Test = (lambda text: bool(wanted.match(text))) if more else (lambda text: bool(wanted.fullmatch(text)))
        key = (bare[: bare.index("?")], 0 if more else len(bare))
        self._bounded.setdefault(key, []).append((test, entry))

    def _add_expression(self, entry: Block) -> None:
        expression = compiled(expression_of(entry.pattern))
        if expression and len(self._expressions) < MOST_EXPRESSIONS:
            self._expressions.append((expression, entry))


def _exactness(entry: Block) -> tuple[int, int, int]:
    digits = sum(character.isdecimal() for character in entry.pattern)
    return RANK[form_of(entry.pattern)], digits, -entry.id
