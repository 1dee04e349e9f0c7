"""The series of a balance as a small drawing: points of an SVG, made here so that a template only writes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.journal.sims import Reading
from appliance.journal.times import moment

WIDTH, HEIGHT, EDGE = 600, 140, 6


@dataclass(frozen=True, slots=True)
class Plot:
    """`line` is a polyline's points, `dots` the places of the readings, `low` the height of the threshold."""

    line: str
    dots: tuple[tuple[float, float], ...]
    low: float | None
    most: int  # minor units at the top
    first: str
    last: str


def plot(readings: Sequence[Reading], low: int) -> Plot | None:
    """None for fewer than two readings: a point is no series."""
    if len(readings) < 2:
        return None
    times = [moment(one.at).timestamp() for one in readings]
    begin, end = min(times), max(times)
    most = max(low, *(one.amount for one in readings), 1)

    def height(amount: int) -> float:
        return round(EDGE + (HEIGHT - 2 * EDGE) * (1 - max(amount, 0) / most), 1)

    across = (WIDTH - 2 * EDGE) / ((end - begin) or 1)
    dots = tuple(
        (round(EDGE + (at - begin) * across, 1), height(one.amount)) for at, one in zip(times, readings, strict=True)
    )
    line = " ".join(f"{x},{y}" for x, y in dots)
    return Plot(line, dots, height(low) if low else None, most, readings[0].at, readings[-1].at)
