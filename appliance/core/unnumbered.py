"""Numbers that stop arriving: a line on which call after call comes without one has lost its caller identification.

"Not delivered" is not "withheld": a caller who hides his number says nothing about the line.
"""

from collections.abc import Mapping

from appliance.core.model import Kind, LineId, Number

IN_A_ROW = 5  # calls without a number, one after the other


def counted(before: Mapping[LineId, int], line: LineId, caller: Number) -> tuple[dict[LineId, int], bool]:
    """The counts with one more call, and whether it is the one at which people should be told. A number that arrives
    begins anew; a hidden one changes nothing."""
    now = dict(before)
    if caller.kind is Kind.UNAVAILABLE:
        now[line] = now.get(line, 0) + 1
    elif caller.kind is not Kind.WITHHELD:
        now[line] = 0
    return now, now.get(line) == IN_A_ROW and caller.kind is Kind.UNAVAILABLE
