"""The native part under a clock of the test's own: ports without a bridge, and the detector of digits alone."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import _centralka_native
import numpy as np

from appliance.native import build_native

HERE = Path(__file__).resolve().parent
EXTRA = """
int rig_open(int fd, int rate, int burst, int keep);
void rig_close(int id);
void rig_turn(int id, short *out, short *in);
int rig_digits(short *samples, int n, int rate, int chunk, char *out, int most);
"""


def _load() -> ModuleType:
    """Compiled once, kept beside the native part."""
    prefix = Path(_centralka_native.__file__).resolve().parents[2]
    text = build_native.DECLARATIONS
    shared = text[text.index("typedef struct ck_pcm_counters") : text.index("int ck_pcm_open(")]
    rest = text[text.index("int ck_pcm_close(") : text.index("int ck_connect(")]
    also = [build_native.HERE / name for name in build_native.SOURCES]
    folder = build_native.compiled(prefix, "_rig", shared + rest + EXTRA, [HERE / "rig.c"], also)
    sys.path.insert(0, str(folder))
    import _rig

    return _rig


_rig = _load()
ffi, lib = _rig.ffi, _rig.lib


def digits(samples: np.ndarray, rate: int = 8000, chunk: int = 160) -> str:
    """What the detector hears."""
    data = np.clip(samples, -32768, 32767).astype("<i2")
    room = ffi.new("char[]", 32)
    found = lib.rig_digits(ffi.from_buffer("short[]", data), len(data), rate, chunk, room, 32)
    return ffi.buffer(room, found)[:].decode()


class Rig:
    """A port and the modem at the other end of its wire."""

    def __init__(self, rate: int, burst: int, keep: int, fds: tuple[int, socket.socket] | None = None) -> None:
        if fds is None:
            ours, self.modem = socket.socketpair()
            self.modem.setblocking(False)
            fd = ours.detach()
        else:
            fd, self.modem = fds
        self.frame = rate // 50
        self.id = lib.rig_open(fd, rate, burst, keep)
        self._out = ffi.new("short[]", self.frame)

    def turn(self, say: np.ndarray | None = None, listen: bool = True) -> np.ndarray:
        """One turn of the bridge, 20 ms; what it hears."""
        said = np.zeros(self.frame, "<i2") if say is None else np.ascontiguousarray(say, "<i2")
        lib.rig_turn(self.id, self._out if listen else ffi.NULL, ffi.from_buffer("short[]", said))
        return np.frombuffer(bytes(ffi.buffer(self._out)), "<i2")

    def send(self, octets: bytes) -> int:
        """The modem says so much."""
        return self.modem.send(octets) if octets else 0

    def received(self) -> bytes:
        """What the modem was told since."""
        try:
            return self.modem.recv(1 << 20)
        except BlockingIOError:
            return b""

    def counters(self) -> dict[str, int]:
        counters = ffi.new("ck_pcm_counters *")
        assert lib.ck_pcm_read(self.id, 0, counters) == 0
        return {name: int(getattr(counters, name)) for name, _ in ffi.typeof("ck_pcm_counters").fields}


@contextmanager
def rig(rate: int = 8000, burst: int = 1, keep: int = 2) -> Iterator[Rig]:
    """A port for a while."""
    made = Rig(rate, burst, keep)
    try:
        yield made
    finally:
        lib.rig_close(made.id)
        made.modem.close()
