"""What the page of a line shows of its modem's care: the signal of a week as a picture and in words, what was done when
the modem failed, what on the SIM could not be deleted, and the network's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.journal import queries
from appliance.journal.queries import SignalPoint
from webui import here
from webui.store import stamp

DAYS = 7
WIDTH, HEIGHT = 336.0, 60.0  # units of the picture: two for each hour
CLOCK_MAY_DIFFER = 60


@dataclass(frozen=True, slots=True)
class Signal:
    """`paths` are polylines, broken where nothing was heard; numbers in percent, None when nothing was heard at all."""

    paths: tuple[str, ...]
    lowest: int | None
    average: int | None
    highest: int | None
    hours_without: int


@dataclass(frozen=True, slots=True)
class Care:
    """Everything of one line."""

    signal: Signal
    steps: dict[str, int]
    last: str
    last_at: str
    given_up: bool
    stuck: list[str]
    network_time: str
    box_time: str
    differs: int


def of(line: str) -> Care:
    """What is known of the line."""
    now = here.local_now()
    with here.store().open() as db:
        facts = queries.line_facts(db, line)
        points = queries.signal_history(db, line, stamp(now - timedelta(days=DAYS)))
    care, clock = _dict(facts.get("care")), _dict(facts.get("network-time"))
    steps, stuck = care.get("steps"), facts.get("quarantine")
    seconds = clock.get("seconds")
    return Care(
        signal=drawn(points, now),
        steps={str(k): int(v) for k, v in steps.items()} if isinstance(steps, dict) else {},
        last=str(care.get("last") or ""),
        last_at=facts["care"].at if "care" in facts else "",
        given_up=bool(care.get("given-up")),
        stuck=[str(one) for one in stuck.value] if stuck and isinstance(stuck.value, list) else [],
        network_time=str(clock.get("network") or ""),
        box_time=str(clock.get("box") or ""),
        differs=seconds if isinstance(seconds, int) and abs(seconds) > CLOCK_MAY_DIFFER else 0,
    )


def _dict(fact: queries.Fact | None) -> dict[str, object]:
    return dict(fact.value) if fact and isinstance(fact.value, dict) else {}


def drawn(points: Sequence[SignalPoint], now: datetime) -> Signal:
    """The mean of each hour; the newest hour is at the right."""
    hours: dict[int, list[int]] = {}
    silent: set[int] = set()
    for point in points:
        age = int((now - datetime.fromisoformat(point.at)).total_seconds() // 3600)
        place = DAYS * 24 - 1 - age
        if place < 0 or age < 0:
            continue
        if point.percent is None:
            silent.add(place)
        else:
            hours.setdefault(place, []).append(point.percent)
    means = {place: round(sum(heard) / len(heard)) for place, heard in hours.items()}
    heard = [percent for one in hours.values() for percent in one]
    return Signal(
        tuple(_polylines(means)), min(heard, default=None), round(sum(heard) / len(heard)) if heard else None,
        max(heard, default=None), len(silent - means.keys()),
    )  # fmt: skip


def _polylines(means: dict[int, int]) -> list[str]:
    """One for each run of hours; a lone hour is a short line."""
    runs: list[list[tuple[float, float]]] = []
    last = None
    for place in sorted(means):
        if last is None or place != last + 1:
            runs.append([])
        runs[-1].append((place * 2.0 + 1, HEIGHT - means[place] * HEIGHT / 100))
        last = place
    longer = [run if len(run) > 1 else [run[0], (run[0][0] + 1, run[0][1])] for run in runs]
    return [" ".join(f"{x:g},{y:.1f}" for x, y in run) for run in longer]
