"""The native part for Python: typed functions over `_centralka_native`. The only door to it.

All functions belong to the loop thread. The three callbacks run there too, inside libHandleEvents: they must not keep
`Request.handle` after they return, and an exception in one is logged and answered by silence.
"""

import logging
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from _centralka_native import ffi, lib

log = logging.getLogger(__name__)

SILENCE, SILENCE_DB = 1e-9, -90  # mean square, dBFS: nothing is quieter
QUIETEST_LEVEL = 8
TARGET_FRAMES = 2  # 40 ms: what a modem's or a pty's jitter needs
CARD_FRAMES = 3  # a card gives its 20 ms when it likes


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. `flow` tells connections apart, 0 for UDP; `handle` is valid within the callback only."""

    handle: object
    text: bytes
    source: str
    port: int
    transport: str  # "udp", "tcp", "tls"
    flow: int


class Hook(Protocol):
    """Who is asked about requests."""

    def request(self, request: Request) -> bool:
        """True when it was answered or shall be dropped, False to let PJSIP go on with it."""

    def dropped(self, data: bytes, source: str, port: int) -> None:
        """Something that is no SIP message arrived; the source is known for connections only."""

    def answered(self, token: int, code: int) -> None:
        """The final answer to an OPTIONS or NOTIFY of ours; 408 or 503 when none came."""

    def wanted(self, name: str) -> None:
        """A server is known by its name only; `set_server` answers, at once or later."""


_hooks: list[Hook] = []  # at most one: the C side has one set of callbacks


@ffi.def_extern()  # type: ignore[untyped-decorator]
def ck_on_request(
    handle: object, text: object, length: int, source: object, port: int, transport: object, flow: int
) -> int:
    """Called by hook.c for each request before the UA layer."""
    try:
        request = Request(
            handle, bytes(ffi.buffer(text, length)), _text(source), port, _text(transport).lower(), int(flow)
        )
        return int(_hooks[-1].request(request)) if _hooks else 0
    except Exception:
        log.exception("a request could not be handled; it is not answered")
        return 1


@ffi.def_extern()  # type: ignore[untyped-decorator]
def ck_on_dropped(data: object, length: int, source: object, port: int) -> None:
    """Called by hook.c for what PJSIP cannot parse."""
    try:
        for hook in _hooks[-1:]:
            hook.dropped(bytes(ffi.buffer(data, min(length, 200))), _text(source), port)
    except Exception:
        log.exception("a dropped message could not be noted")


@ffi.def_extern()  # type: ignore[untyped-decorator]
def ck_on_answer(token: int, code: int) -> None:
    """Called by hook.c when an OPTIONS or NOTIFY of ours was answered."""
    try:
        for hook in _hooks[-1:]:
            hook.answered(token, code)
    except Exception:
        log.exception("an answer could not be handled")


@ffi.def_extern()  # type: ignore[untyped-decorator]
def ck_on_name(name: object) -> None:
    """Called by resolve.c for a name that it does not know."""
    try:
        text = _text(name)
        for hook in _hooks[-1:]:
            hook.wanted(text)
    except Exception:
        log.exception("a name could not be asked for")


def _text(value: object) -> str:
    return bytes(ffi.string(value)).decode("ascii", "replace")


def quiet(level: int = 1) -> None:
    """Send PJSIP's log to standard error up to `level`: 1 is errors. From 2 on it writes whole messages, with what they
    hold. Before libCreate, and after libInit, which puts its own writer in place."""
    lib.ck_quiet(level)


def install(hook: Hook) -> None:
    """Ask `hook` from now on. After libInit. Raises OSError."""
    _hooks[:] = [hook]
    _checked(lib.ck_hook_install(), "the request hook")


def uninstall() -> None:
    """Before the library ends."""
    _hooks.clear()


def set_providers(addresses: Iterable[str]) -> None:
    """Where providers are: what they write into Contact and Record-Route holds, other than that of phones."""
    lib.ck_providers(" ".join(sorted(addresses)).encode("ascii", "ignore"))


def set_server(name: str, address: str, port: int) -> None:
    """The server of a name, or of "name;transport", from now on, port 0 for the usual one. An empty address: nobody
    knows it, and who waits for it is told so. Never within `Hook.wanted`."""
    if lib.ck_server(name.encode("ascii", "ignore"), address.encode("ascii", "ignore"), port):
        log.warning("the server of %s cannot be kept: %s", name, address)


def respond(request: Request, code: int, headers: list[tuple[str, str]], stateful: bool = False, tag: str = "") -> None:
    """Answer within the callback. Header values come from our own code: line breaks in them are refused. `tag` is the
    To tag of a dialog that we keep ourselves."""
    if tag:
        lib.ck_to_tag(request.handle, _ascii(tag))
    status = lib.ck_respond(request.handle, code, _lines(headers), int(stateful))
    if status:
        log.warning("an answer %d could not be sent: %d", code, status)


def _lines(headers: list[tuple[str, str]]) -> bytes:
    return _ascii("".join(f"{name}: {_clean(value)}\n" for name, value in headers))


def _clean(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def route_calls(account: int, route: str) -> None:
    """Where the next calls of a PJSUA account are sent; "" for where their URI says. Raises ValueError."""
    if lib.ck_account_route(account, route.encode("ascii")):
        raise ValueError(f"not a route: {route!r}")


def send_options(target: str, route: str, sender: str, token: int, account: int = -1) -> bool:
    """Ask a phone or a provider whether it lives, over the transport of a PJSUA account where one is given. False when
    the request could not even be sent."""
    return not lib.ck_send_options(_ascii(target), _ascii(route), _ascii(sender), account, token)


@dataclass(frozen=True, slots=True)
class Notify:
    """A NOTIFY, whole. URIs are bare, without brackets and tags; the body is `application/<subtype>`."""

    target: str
    route: str
    sender: str
    sender_tag: str
    to: str
    to_tag: str  # "" outside a dialog
    contact: str
    call_id: str
    cseq: int
    headers: list[tuple[str, str]]
    subtype: str
    body: str


def send_notify(notify: Notify, token: int) -> bool:
    """Send it; `Hook.answered` hears of it. False when it could not even be sent: a URI that is none, no connection."""
    return not lib.ck_send_notify(
        _ascii(notify.target), _ascii(notify.route), _ascii(f"<{notify.sender}>"), _ascii(notify.sender_tag),
        _ascii(f"<{notify.to}>"), _ascii(notify.to_tag), _ascii(f"<{notify.contact}>"), _ascii(notify.call_id),
        notify.cseq, _lines(notify.headers), _ascii(notify.subtype), _ascii(notify.body), token,
    )  # fmt: skip


def _ascii(value: str) -> bytes:
    return value.encode("utf-8", "replace")


def connect(a: int, b: int) -> None:
    """Let slot `a` be heard by slot `b`. Takes effect at the next turn of the bridge."""
    _noted(lib.ck_connect(a, b), "connect")


def disconnect(a: int, b: int) -> None:
    """Undo `connect`."""
    _noted(lib.ck_disconnect(a, b), "disconnect")


def ports() -> int:
    """How many ports the bridge has."""
    return int(lib.ck_ports())


def level(slot: int) -> tuple[int, int]:
    """Sound to and from a slot now, as the bridge tells it; see `decibels`."""
    found = ffi.new("unsigned[2]")
    lib.ck_level(slot, found, found + 1)
    return int(found[0]), int(found[1])


def decibels(level: int) -> int:
    """A level of `level` in dBFS: it is the magnitude of a mu-law octet (G.711), 0 to 127, sixteen steps to 6 dB."""
    return SILENCE_DB if level < QUIETEST_LEVEL else round((min(level, 127) - 127) * 6 / 16)


@dataclass(frozen=True, slots=True)
class PcmPort:
    """An open PCM port."""

    id: int
    slot: int


def open_pcm(fd: int, rate: int = 8000, burst: int = 1, target_frames: int = TARGET_FRAMES) -> PcmPort:
    """Put a descriptor into the bridge; C owns and closes it, also when this raises OSError. `rate`: samples a second
    on the wire, 8000 or 16000; `burst`: frames of 20 ms that are written at once."""
    slot = ffi.new("int *")
    found = lib.ck_pcm_open(fd, rate, burst, target_frames, slot)
    _checked(min(found, 0), "a PCM port")
    return PcmPort(int(found), int(slot[0]))


def open_card(name: str, target_frames: int = CARD_FRAMES) -> PcmPort:
    """Put a sound card into the bridge by its ALSA name, such as hw:CARD=Android. Raises OSError: no such card, or
    another program has it."""
    slot = ffi.new("int *")
    found = lib.ck_card_open(name.encode("ascii", "replace"), target_frames, slot)
    _checked(min(found, 0), name)
    return PcmPort(int(found), int(slot[0]))


def close_pcm(port: PcmPort) -> None:
    """Take it out again; no harm when it is gone."""
    lib.ck_pcm_close(port.id, port.slot)


def read_pcm(port: PcmPort) -> dict[str, int] | None:
    """Counters of a port, None when it is gone."""
    counters = ffi.new("ck_pcm_counters *")
    if lib.ck_pcm_read(port.id, port.slot, counters):
        return None
    return {name: int(getattr(counters, name)) for name, _ in ffi.typeof("ck_pcm_counters").fields}


def pcm_flow(port: PcmPort, go: bool) -> None:
    """The modem's own flow control: it takes speech, or none for now."""
    lib.ck_pcm_flow(port.id, port.slot, int(go))


def pcm_digits(port: PcmPort) -> str:
    """DTMF digits heard in the sound from the line since the last call, 32 at most."""
    room = ffi.new("char[32]")
    return bytes(ffi.buffer(room, max(lib.ck_pcm_digits(port.id, port.slot, room, 32), 0))).decode("ascii")


def pcm_tone(port: PcmPort, hertz: int, milliseconds: int, level: int) -> None:
    """Play a tone to the line in place of what the bridge says; `level` in per cent of full scale."""
    lib.ck_pcm_tone(port.id, port.slot, hertz, milliseconds, level)


def pcm_dial(port: PcmPort, digits: str) -> None:
    """Play up to 16 DTMF digits to the line as sound."""
    lib.ck_pcm_dial(port.id, port.slot, digits.encode("ascii", "ignore"))


@dataclass(frozen=True, slots=True)
class Probe:
    """What was heard from the line since a tone is looked for, in blocks of 100 ms: `silent` under -60 dBFS, `tone`
    mostly that tone, `noisy` as rough as noise; `jumps`: how often the tone broke; `first_ms`: when it was
    heard first, -1 never; `best_db`: how loud at best, dBFS."""

    blocks: int
    silent: int
    tone: int
    noisy: int
    jumps: int
    first_ms: int
    best_db: int


def pcm_probe(port: PcmPort, hertz: int) -> None:
    """Look for a tone from now on."""
    lib.ck_pcm_probe(port.id, port.slot, hertz)


def pcm_probed(port: PcmPort) -> Probe | None:
    """What was found so far, None when the port is gone."""
    found = ffi.new("ck_probe *")
    if lib.ck_pcm_probed(port.id, port.slot, found):
        return None
    best = round(10 * math.log10(found.best)) if found.best > SILENCE else SILENCE_DB
    return Probe(found.blocks, found.silent, found.tone, found.noisy, found.jumps, found.first_ms, best)


def play(paths: Sequence[str], slot: int, loop: bool) -> int:
    """Play wav files (8 kHz, mono, 16 bit) to a slot, one after another without a gap; the id of the player. Raises
    OSError when one cannot be read."""
    joined = "\n".join(path for path in paths if "\n" not in path)
    found = int(lib.ck_play(os.fsencode(joined), slot, int(loop)))
    _checked(min(found, 0), joined)
    return found


def finished(player: int) -> bool:
    """Whether it was played to its end, or is gone."""
    return bool(lib.ck_play_finished(player) != 0)


def stop(player: int) -> None:
    """End a player and forget it."""
    lib.ck_play_stop(player)


WHY = {1: "stopped", 2: "longest", 3: "silence", 4: "failed"}


@dataclass(frozen=True, slots=True)
class Recorder:
    """A recording that runs; `slots` are of the bridge, one for each side: the legs are connected to them."""

    id: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One that has ended: the file has its name and is on disk, or `error` is the errno of what went wrong."""

    why: str
    seconds: float
    error: int


def record(path: str, sides: int, longest: float, silence: float) -> Recorder:
    """Record into a wav file, mono or with two sides in stereo; until it has ended it is called `path`.part.
    `longest`, `silence`: seconds, 0 without end. Raises OSError."""
    slots = ffi.new("int[2]")
    most = 2_000_000_000  # milliseconds that C can count
    found = lib.ck_record_open(
        os.fsencode(path), sides, min(int(longest * 1000), most), min(int(silence * 1000), most), slots
    )
    _checked(min(found, 0), path)
    return Recorder(int(found), tuple(int(slots[side]) for side in range(sides)))


def record_pause(recorder: Recorder, on: bool) -> None:
    """Silence in place of what is said, or on again."""
    lib.ck_record_pause(recorder.id, int(on))


def record_length(recorder: Recorder) -> float:
    """Seconds recorded so far."""
    return max(int(lib.ck_record_length(recorder.id)), 0) / 1000


def record_stop(recorder: Recorder) -> None:
    """End it; `recorded` tells when it is whole."""
    lib.ck_record_stop(recorder.id)


def recorded(recorder: Recorder) -> Recorded | None:
    """How it ended, None while it runs."""
    facts = ffi.new("int[2]")
    why = lib.ck_record_done(recorder.id, facts, facts + 1)
    return Recorded(WHY.get(why, "failed"), facts[0] / 1000, int(facts[1])) if why else None


def record_close(recorder: Recorder) -> None:
    """Forget one that has ended."""
    lib.ck_record_close(recorder.id)


def _checked(status: int, what: str) -> None:
    if status:
        raise OSError(abs(status), f"{what} could not be made")


def _noted(status: int, what: str) -> None:
    if status:
        log.warning("the bridge could not %s: %d", what, status)
