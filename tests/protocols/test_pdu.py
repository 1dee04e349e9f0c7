"""PDUs of the field: what other projects collected, and what nobody would send."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import PduError
from appliance.protocols import alphabet
from appliance.protocols.multipart import join
from appliance.protocols.pdu import decode, describe, to_part

DATA = Path(__file__).parent.parent / "data"
ROWS = [json.loads(line) for line in (DATA / "pdu_corpus.jsonl").read_text(encoding="utf-8").splitlines()]
GOOD = [row for row in ROWS if not row["expect"].get("error")]
BAD = [row for row in ROWS if row["expect"].get("error")]
VECTORS = [json.loads(line) for line in (DATA / "gsm7_vectors.jsonl").read_text(encoding="utf-8").splitlines()]


def differences(row: dict) -> dict:
    """Keys of `stated` and `derived` on which we disagree."""
    keys = {*(row.get("stated") or ()), *(row.get("derived") or ())} & row["expect"].keys()
    if not keys:
        return {}
    try:
        found = describe(row["pdu"])
    except PduError as error:
        return {"error": str(error)}
    return {key: (row["expect"][key], found.get(key)) for key in keys if row["expect"][key] != found.get(key)}


def test_the_corpus_is_read_as_its_sources_say() -> None:
    """Every positive row agrees on every key its source stated or another decoder confirmed."""
    assert len(GOOD) > 300
    assert {row["pdu"]: differences(row) for row in GOOD if differences(row)} == {}


@pytest.mark.parametrize("row", BAD, ids=lambda row: row["pdu"][:24])
def test_what_is_no_pdu_is_refused(row: dict) -> None:
    with pytest.raises(PduError):
        describe(row["pdu"])


@pytest.mark.parametrize("row", VECTORS, ids=range(len(VECTORS)))
def test_septets_and_national_tables(row: dict) -> None:
    skip = row.get("skip_bits", 0)
    count = row["septets"] - (skip // 7 if skip else 0)
    septets = alphabet.unpack(bytes.fromhex(row["packed"]), count, skip)
    assert alphabet.gsm7(septets, row.get("locking", 0), row.get("single", 0)) == row["text"]


@settings(max_examples=300)
@given(st.lists(st.integers(0, 127), max_size=160), st.integers(0, 60))
def test_packing_is_undone_by_unpacking(septets: list[int], skip: int) -> None:
    assert list(alphabet.unpack(alphabet.pack(septets, skip), len(septets), skip)) == septets


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_a_damaged_pdu_raises_nothing_but_its_own_error(data: st.DataObject) -> None:
    pdu = list(data.draw(st.sampled_from(ROWS))["pdu"])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(pdu) - 1, 0)))
        change = data.draw(st.sampled_from(["cut", "flip", "insert", "letter"]))
        if change == "cut":
            del pdu[at:]
        elif change == "insert":
            pdu.insert(at, data.draw(st.sampled_from("0123456789ABCDEFx é")))
        elif pdu:
            pdu[at] = data.draw(st.sampled_from("0123456789ABCDEF" if change == "flip" else "zß\n\0"))
    text = "".join(pdu)
    with contextlib.suppress(PduError):
        describe(text)
    part = to_part(text)
    assert part.pdu == text.strip().upper()
    (part.text or "").encode("utf-8")


@given(st.text(max_size=500))
def test_no_text_at_all_breaks_it(text: str) -> None:
    assert to_part(text).pdu is not None
    with pytest.raises(PduError):
        decode("x" + text)


def test_an_unreadable_message_is_kept_and_said_to_be() -> None:
    part = to_part("0043010C910661345542F60008A0050003000301")
    assert part.text is None
    assert "undecodable" in part.flags


def test_a_message_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    whole = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
    part = to_part(whole[:-8])
    assert part.text is not None
    assert part.text.startswith("How are")
    assert "cut-off" in part.flags


class Piece:
    """A part to be joined."""

    def __init__(self, coding: str, octets: bytes) -> None:
        self.coding, self.octets = coding, octets
        self.text = alphabet.ucs2(octets) if coding == "ucs2" else alphabet.gsm7(list(octets))


@given(st.text(max_size=60), st.integers(1, 7))
def test_ucs2_is_joined_before_it_is_read(text: str, size: int) -> None:
    """Wherever the network cuts it, also inside a surrogate pair."""
    clean = text.encode("utf-16-be", "ignore").decode("utf-16-be").removeprefix("\ufeff")
    octets = clean.encode("utf-16-be")
    pieces = [Piece("ucs2", octets[i : i + 2 * size]) for i in range(0, len(octets), 2 * size)]
    assert join(pieces) == clean


def test_an_escape_at_the_end_of_a_part_belongs_to_the_next() -> None:
    euro = [0x1B, 0x65]
    assert join([Piece("gsm7", bytes([0x41, euro[0]])), Piece("gsm7", bytes([euro[1], 0x42]))]) == "A€B"
