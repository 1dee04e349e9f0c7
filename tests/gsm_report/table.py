"""Rows as they are measured, with their goals."""

import sys
from collections.abc import Iterable


class Table:
    """`missed` is true once a goal was."""

    def __init__(self) -> None:
        self.missed = False

    def row(self, what: str, value: str, goal: str, good: bool, short: Iterable[str] = ()) -> None:
        """A figure and its goal; `short`: what falls short, a line each."""
        self.missed |= not good
        sys.stdout.write(f"{'  ' if good else '! '}{what:62} {value:>16}   goal {goal}\n")
        for line in short:
            sys.stdout.write(f"      {line[:150]}\n")
        sys.stdout.flush()

    def all_of(self, what: str, short: list[str], total: int) -> None:
        """So many of so many, where all are wanted."""
        self.row(what, f"{total - len(short)} of {total}", "all", not short and total > 0, short)
