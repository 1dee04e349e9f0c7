"""Where fuzzing begins: what devices and networks really wrote."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

DATA = Path(__file__).parent.parent / "data"


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def _pdus() -> list[bytes]:
    texts = [row["pdu"] for row in rows("pdu_corpus.jsonl")]
    octets = [bytes.fromhex(text) for text in texts if len(text) % 2 == 0 and text.isalnum() and text.isascii()
              and not set(text.upper()) - set("0123456789ABCDEF")]  # fmt: skip
    return [b"\0" + one for one in octets] + [b"\1" + text.encode("latin-1", "replace") for text in texts[:40]]


def _parts() -> list[bytes]:
    pdus = [one[1:] for one in _pdus() if one[:1] == b"\0"]
    return [b"\xff\xfe\xfd".join(pdus[n : n + 3]) for n in range(0, len(pdus), 3)]


def _texts() -> list[bytes]:
    texts = [row["expect"].get("text") or "" for row in rows("pdu_corpus.jsonl")]
    return [bytes([n % 4]) + (text * (1 + n % 3)).encode() for n, text in enumerate(texts) if text]


def _answers() -> list[bytes]:
    return [row["response"].encode("latin-1", "replace") for row in rows("at_transcripts.jsonl")]


def _engine() -> list[bytes]:
    answers = _answers()
    return [b"\xff".join([bytes([0xF8 + n % 6]), answer, b"\xf3", b"\r\nOK\r\n"]) for n, answer in enumerate(answers)]


def _modems() -> list[bytes]:
    urcs = [row["response"].encode("latin-1", "replace") for row in rows("at_transcripts.jsonl") if row["urc"]]
    rings = b"\xff".join([b"\r\nRING\r\n", b'\xf8\r\n+CLIP: "+48600100200",145\r\n', b"\xfb\r\nNO CARRIER\r\n"])
    return [bytes([n % 256]) + b"\xff\xf6".join([urc, urcs[-n], rings]) for n, urc in enumerate(urcs)]


def _transcripts() -> list[bytes]:
    return [
        b"\x05" + (row["command"] or "").encode("latin-1", "replace") + b"\r" + answer
        for row, answer in zip(rows("at_transcripts.jsonl"), _answers(), strict=True)
    ]


SEEDS: Mapping[str, Callable[[], list[bytes]]] = {
    "pdu": _pdus, "shown": _pdus, "parts": _parts, "outgoing": _texts, "engine": _engine, "modem": _modems,
    "lines": _answers, "transcript": _transcripts,
}  # fmt: skip
