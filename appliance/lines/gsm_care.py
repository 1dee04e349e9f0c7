"""What a SIM line looks after besides calls and messages: which modem and SIM are its own, where the modem went, what
is done when it fails, what it says about the time, and what on its SIM cannot be deleted.

What outlives a restart is posted as facts and handed back at the next start. Loop thread; times are monotonic seconds.
"""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime

from appliance.core import events as ev
from appliance.core.care import Ladder
from appliance.core.model import LineId
from appliance.lines import Post
from appliance.lines.ports import Ports
from appliance.lines.power import UsbPower
from appliance.protocols import modem_events as said

log = logging.getLogger(__name__)

ADOPT_AFTER = 15.0  # seconds: another modem at the port of ours is taken when ours is nowhere to be found
CLOCK_TOLD_EVERY = 3600.0
CLOCK_MAY_DIFFER = 60.0  # seconds between the network's time and ours
SPEECH, COMMANDS = "-pcm", "-at"  # how our names of the two ports of a modem end
IDENTITY, CARE, CLOCK, QUARANTINE = "identity", "care", "network-time", "quarantine"  # names of facts


class Care:
    """`imei`: the modem that the owner said is the line's, "" where the one it was last on counts, as long as it can be
    found; `known`: the line's facts of before."""

    def __init__(
        self, line: LineId, device: str, post: Post, ports: Ports, power: UsbPower, imei: str = "",
        known: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        self._line, self._device, self._post = line, device, post
        self._ports, self._power, self._set = ports, power, imei
        held = (known or {}).get(IDENTITY)
        identity = held if isinstance(held, Mapping) else {}
        self.imei, self.iccid = str(identity.get("imei") or ""), str(identity.get("iccid") or "")
        stuck = (known or {}).get(QUARANTINE)
        self._stuck = [str(one) for one in stuck] if isinstance(stuck, list) else []
        self._ladder = Ladder(has_power=power.there)
        self._foreign = ""  # the device holds this other modem
        self._missing_since: float | None = None
        self._adopt = False
        self._clock_told = -CLOCK_TOLD_EVERY
        ports.expect(line, self._wanted)

    @property
    def _wanted(self) -> str:
        return self._set or self.imei

    # ---- where it is ----------------------------------------------------------------------------------------------

    def port(self, at: float) -> str:
        """The port to open now, "" for none: its own, or the one where its modem was found."""
        if self._power.busy:
            return ""
        if os.path.exists(self._device) and (not self._foreign or self._adopt):
            return self._device
        self._ports.release(self._line)
        found = self._ports.look_for(self._wanted, at) if self._wanted else ""
        if self._missing_since is None:
            self._missing_since = at
        elif not found and self._foreign and not self._set and at >= self._missing_since + ADOPT_AFTER:
            self._adopt = self._ports.all_asked(at) and not self._ports.is_of_another(self._line, self._foreign)
        if not os.path.exists(self._device):
            self._foreign = ""  # whoever is there next is looked at anew
        return found

    @property
    def searching(self) -> bool:
        """Whether `port` should be called again soon."""
        return bool(self._wanted)

    @property
    def missing(self) -> str:
        """Why there is no port: an id of words.LINE_STATES."""
        return "other-modem" if self._foreign else "not-there"

    def opened(self, path: str) -> None:
        """The port is ours."""
        self._ports.hold(self._line, path)
        self._missing_since = None
        if path != self._device:
            log.info("line %s: its modem is at %s now", self._line, path)

    def gone(self) -> None:
        """The line ends."""
        self._ports.forget(self._line)

    def speech(self, path: str, configured: str) -> str:
        """The speech port beside the command port that is open."""
        beside = path.removesuffix(COMMANDS) + SPEECH
        return beside if path != self._device and path.endswith(COMMANDS) and os.path.exists(beside) else configured

    # ---- who it is ------------------------------------------------------------------------------------------------

    def identified(self, event: said.Identified) -> bool:
        """Whether it is the line's modem; what is new about it and its SIM is told."""
        if event.imei and self._wanted and event.imei != self._wanted and not self._adopt:
            self._foreign = event.imei
            self._ports.release(self._line)
            return False
        self._foreign = ""
        if event.imei and self.imei and event.imei != self.imei:
            self._post(ev.LineSaid(self._line, "modem-changed", {"imei": event.imei}))
        if event.iccid and self.iccid and event.iccid != self.iccid:
            self._post(ev.LineSaid(self._line, "sim-changed", {"iccid": event.iccid}))
        now = (event.imei or self.imei, event.iccid or self.iccid)
        if now != (self.imei, self.iccid):
            self.imei, self.iccid = now
            self._ports.expect(self._line, self._wanted)
            self._post(ev.FactKnown(self._line, IDENTITY, {"imei": self.imei, "iccid": self.iccid}))
        self._adopt = False
        return True

    # ---- when it fails --------------------------------------------------------------------------------------------

    def failed(self, at: float, why: str, answering: bool) -> str:
        """What is done now: "radio", "reset", or "" (nothing, or something that is not the modem's)."""
        step = self._ladder.failed(at, answering)
        if step == "give-up":
            self._post(ev.LineSaid(self._line, "modem-given-up", {}, "bad"))
        elif step != "wait":
            level = logging.DEBUG if self._ladder.given_up and step == "reopen" else logging.WARNING
            log.log(level, "line %s: its modem fails (%s): %s", self._line, why, step)
        if step == "power":
            self._power.cycle()
        if step not in ("wait", "reopen") or not self._ladder.given_up:
            self._tell_care()
        return step if step in ("radio", "reset") else ""

    @property
    def powering(self) -> bool:
        """Whether its socket is being switched off and on."""
        return self._power.busy

    def well(self, at: float) -> None:
        """It works."""
        if self._ladder.well(at):
            self._post(ev.LineSaid(self._line, "modem-back", {}, "info"))
            self._tell_care()

    def _tell_care(self) -> None:
        ladder = self._ladder
        value = {"steps": dict(ladder.counts), "last": ladder.last, "given-up": ladder.given_up}
        self._post(ev.FactKnown(self._line, CARE, value))

    # ---- what it says ---------------------------------------------------------------------------------------------

    def network_time(self, event: said.NetworkTime, at: float) -> None:
        """Told once an hour: what the network says and what the box says."""
        if at < self._clock_told + CLOCK_TOLD_EVERY:
            return
        self._clock_told = at
        ours = datetime.now(UTC).replace(microsecond=0)
        differs = (event.utc - ours).total_seconds()
        words = {"network": event.utc.isoformat(), "box": ours.isoformat()}
        self._post(ev.FactKnown(self._line, CLOCK, {**words, "seconds": round(differs)}))
        if abs(differs) > CLOCK_MAY_DIFFER:
            self._post(ev.LineSaid(self._line, "clock-differs", words))

    def stuck(self, event: said.SlotStuck) -> None:
        """A message that cannot be deleted: said once, and left alone."""
        place = f"{event.memory} {event.slot}"
        if place not in self._stuck:
            self._stuck.append(place)
            self._post(ev.FactKnown(self._line, QUARANTINE, list(self._stuck)))
            self._post(ev.LineSaid(self._line, "slot-stuck", {"slot": place}))

    def freed(self, event: said.SlotFreed) -> None:
        """It could be deleted after all."""
        place = f"{event.memory} {event.slot}"
        if place in self._stuck:
            self._stuck.remove(place)
            self._post(ev.FactKnown(self._line, QUARANTINE, list(self._stuck)))
