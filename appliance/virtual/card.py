"""SIM cards as things: what is on one, and the file in which they outlive the process, as cards do."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

MOST_TRIES, MOST_PUK_TRIES = 3, 10
OWN_NUMBER = 48990120100  # of the first; in a range that is never assigned
HOME_ICCID, NETWORK, HOME_SUBSCRIBER = 8948031234567890123, "26003", 1234567890
PLAIN = ("iccid", "imsi", "number", "pin", "tries", "puk_tries", "balance", "call_waiting")


@dataclass(slots=True)
class Forward:
    """Where the network sends calls on; `seconds` matter when nobody answers."""

    number: str
    seconds: int = 20
    active: bool = True


@dataclass(slots=True)
class Card:
    """One SIM. `balance` is in hundredths of the currency; `vouchers` are the top-up codes already used."""

    iccid: str
    imsi: str
    number: str
    pin: str = ""
    tries: int = MOST_TRIES
    puk_tries: int = MOST_PUK_TRIES
    balance: int = 1234
    vouchers: set[str] = field(default_factory=set)
    messages: dict[int, list[object]] = field(default_factory=dict)
    forwards: dict[tuple[int, int], Forward] = field(default_factory=dict)  # by reason and class
    call_waiting: bool = False


def new_card(place: int, iccid: str = "") -> Card:
    """The card that belongs to the `place`-th device, or another one for it."""
    known = iccid or str(HOME_ICCID + place)
    subscriber = int(iccid[-7:]) if iccid else HOME_SUBSCRIBER + place
    return Card(known, f"{NETWORK}{subscriber:010d}", f"+{OWN_NUMBER + place}")


class CardFile:
    """All cards of a device, without their messages; written whole and fsynced when something changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = ""

    def read(self) -> list[Card]:
        """The cards of last time; none when the file is not there or not to be read."""
        try:
            return [_from_json(one) for one in json.loads(self._path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return []

    def write(self, cards: Iterable[Card]) -> None:
        """Keep them, if they are not what was written last."""
        text = json.dumps([_to_json(card) for card in cards])
        if text == self._written:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temp = self._path.with_name(self._path.name + ".new")
        with open(temp, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, self._path)
        self._written = text


def _to_json(card: Card) -> dict[str, object]:
    forwards = [[*key, f.number, f.seconds, f.active] for key, f in card.forwards.items()]
    plain = {name: getattr(card, name) for name in PLAIN}
    return {**plain, "vouchers": sorted(card.vouchers), "forwards": forwards}


def _from_json(kept: dict[str, object]) -> Card:
    """Raises KeyError, TypeError or ValueError for what is no card."""
    card = Card(**{name: kept[name] for name in PLAIN})  # type: ignore[arg-type]
    card.vouchers = set(map(str, kept["vouchers"]))  # type: ignore[call-overload]
    for reason, bit, number, seconds, active in kept["forwards"]:  # type: ignore[attr-defined]
        card.forwards[(int(reason), int(bit))] = Forward(str(number), int(seconds), bool(active))
    return card
