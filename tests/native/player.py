"""The other process of the harness: what twenty modems would say and hear.

python -m tests.native.player STOP IN,IN,... OUT,OUT,...      descriptors that were passed on
"""

import json
import math
import socket
import struct
import sys
import time

import numpy as np

from tests.peers.sound import analyse

FRAME = 320


def frequency(number: int) -> int:
    """Each call has a tone of its own, far from the others' and their harmonics."""
    return 400 + 50 * number


def play_and_listen(ins: list[socket.socket], outs: list[socket.socket], stop: socket.socket) -> None:
    """The other process: a frame of tone into each caller every 20 ms; what the callees hear is kept and measured."""
    heard = [bytearray() for _ in outs]
    position, start, sent = 0, time.monotonic(), 0
    stop.setblocking(False)
    for one in ins + outs:
        one.setblocking(False)
    while True:
        while sent * 0.02 <= time.monotonic() - start:
            for number, one in enumerate(ins):
                step = 2 * math.pi * frequency(number) / 8000
                frame = struct.pack("<160h", *(int(9000 * math.sin(step * (position + i))) for i in range(160)))
                _send(one, frame)
            position += 160
            sent += 1
            for one in outs:
                _send(one, bytes(FRAME))  # a callee's modem keeps its own clock running
        for number, one in enumerate(outs + ins):
            data = _receive(one)
            if number < len(outs):
                heard[number] += data
        try:
            if stop.recv(1):
                break
        except BlockingIOError:
            time.sleep(0.004)  # five looks in a frame's time
    stop.setblocking(True)
    stop.sendall(json.dumps([measure(bytes(h), frequency(n)) for n, h in enumerate(heard)]).encode() + b"\n")


def _send(one: socket.socket, frame: bytes) -> None:
    try:
        one.send(frame)
    except BlockingIOError:
        return


def _receive(one: socket.socket) -> bytes:
    try:
        return one.recv(65536)
    except BlockingIOError:
        return b""


def measure(data: bytes, hertz: int) -> list[float]:
    """Seconds heard; the share of the tone in the last three seconds; its longest gap in them, in seconds."""
    samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
    found = analyse(samples[-8 * 8000 :], hertz, 3333, 3.0)
    return [len(samples) / 8000, found.share, found.longest_gap]


if __name__ == "__main__":
    stop, ins, outs = sys.argv[1:4]
    play_and_listen(
        [socket.socket(fileno=int(fd)) for fd in ins.split(",")],
        [socket.socket(fileno=int(fd)) for fd in outs.split(",")],
        socket.socket(fileno=int(stop)),
    )
