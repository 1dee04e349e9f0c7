"""GPIO lamps and buttons (gpiozero). Without GPIO the mock pins of gpiozero take their place: same code, no hardware.

gpiozero calls back on its own threads: they only post `ButtonPressed`. Lamps are driven from the loop by `tick`, one
write per change, so no thread of ours blinks.
"""

import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence

from gpiozero import LED, Button, Device
from gpiozero.exc import BadPinFactory, GPIOZeroError
from gpiozero.pins.mock import MockFactory

from appliance.core.events import ButtonPressed, Event
from appliance.panel.table import Shown, blink, press_of

log = logging.getLogger(__name__)

LAMP_PINS: Mapping[str, int] = {"power": 17, "sim": 27, "line": 22, "message": 23, "night": 24}  # BCM numbers
BUTTON_PINS: Mapping[str, int] = {"night": 5, "status": 6}


class Panel:
    """Lamps and buttons. `start` and `stop` may be called twice; all methods on the loop thread."""

    def __init__(self, post: Callable[[Event], None], factory: object | None = None) -> None:
        self._post = post
        self._factory = factory
        self._lamps: dict[str, LED] = {}
        self._buttons: list[Button] = []
        self._pressed: dict[str, float] = {}
        self._shown: dict[str, tuple[str, Sequence[tuple[bool, float]], float]] = {}
        self._lit: dict[str, bool] = {}  # what was written last: reading a pin back costs more than writing it
        self.real = False

    def start(self) -> None:
        """Take the pins; on a machine without GPIO mock pins, said once in the log."""
        if self._lamps:
            return
        factory = self._factory or _factory()
        self.real = not isinstance(factory, MockFactory)
        try:
            for name, pin in LAMP_PINS.items():
                self._lamps[name] = LED(pin, pin_factory=factory)
            for name, pin in BUTTON_PINS.items():
                self._buttons.append(self._button(name, pin, factory))
        except GPIOZeroError as error:
            log.warning("the lamps and buttons cannot be used: %s", error)
            self.stop()

    def _button(self, name: str, pin: int, factory: object) -> Button:
        button = Button(pin, bounce_time=None, pin_factory=factory)
        button.when_pressed = lambda: self._pressed.__setitem__(name, time.monotonic())
        button.when_released = lambda: self._let_go(name)
        return button

    def _let_go(self, name: str) -> None:
        """gpiozero's thread: measure and post, nothing else."""
        since = self._pressed.pop(name, None)
        if since is not None:
            self._post(ButtonPressed(name, press_of(time.monotonic() - since)))

    def stop(self) -> None:
        """Lamps out, pins given back."""
        for device in [*self._lamps.values(), *self._buttons]:
            device.close()
        self._lamps.clear()
        self._buttons.clear()
        self._shown.clear()
        self._lit.clear()

    def show(self, lamps: Sequence[Shown], at: float) -> None:
        """New patterns; a lamp whose pattern stays goes on blinking undisturbed."""
        for lamp in lamps:
            if self._shown.get(lamp.name, ("",))[0] != lamp.pattern:
                self._shown[lamp.name] = (lamp.pattern, blink(lamp.pattern), at)

    def tick(self, at: float) -> None:
        """Set each lamp as its pattern wants it now (monotonic seconds)."""
        for name, (_, steps, since) in self._shown.items():
            lamp = self._lamps.get(name)
            if lamp is not None and self._lit.get(name) != (lit := _lit(steps, at - since)):
                self._lit[name] = lit
                (lamp.on if lit else lamp.off)()


def _lit(steps: Sequence[tuple[bool, float]], into: float) -> bool:
    into %= sum(seconds for _, seconds in steps)
    for lit, seconds in steps:
        if into < seconds:
            return lit
        into -= seconds
    return steps[-1][0]


def _factory() -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # gpiozero warns once per library that is not there
            return Device._default_pin_factory()
    except (BadPinFactory, ImportError, OSError) as error:
        log.info("no GPIO here, lamps and buttons are simulated: %s", type(error).__name__)
        return MockFactory()
