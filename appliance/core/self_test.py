"""What a test of a line's speech has found: counts and levels in, one verdict out.

The box says a tone into a call for a while and measures what comes back. At a number that gives back what it hears (a
loop) that proves both ways; at any other number only that we hear. Nothing here hears anything: the native part counts.
"""

from dataclasses import dataclass

MOSTLY = 0.9  # of the blocks: "only silence"
NOISY = 0.3
BROKEN = 3  # breaks of the tone, or frames made up, within the test
WEAK_DB = 25  # so much weaker than it was said
ECHO_DB = 35

# verdicts, ids of words.SELF_TEST; the first that holds is told
VERDICTS = (
    "no-speech-port", "port-refused", "port-lost", "nothing-in", "only-silence", "noise", "octets-lost", "not-heard",
    "crackle", "weak", "echo", "heard-only-in", "good", "no-call",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """What came in during the test. Blocks are of 100 ms; levels in dBFS."""

    octets: int
    blocks: int
    silent: int  # blocks under -60 dBFS
    tone: int  # blocks that are mostly the test's tone
    noisy: int  # blocks as rough as noise
    jumps: int  # how often the tone broke
    first_ms: int  # when the tone was heard first, from its start; -1: never
    best_db: int  # how loud at best
    said_db: int  # how loud it was said
    slips: int = 0  # frames made up, taken out or missing
    realigned: int = 0  # octets the port lost


def judge(speech: str, heard: Heard | None, loop: bool) -> str:
    """One of VERDICTS. `speech` is the state of the line's speech ("up", "none", "refused", "lost"); `loop`: the far
    end gives back what it hears."""
    if speech in _NO_SPEECH:
        return _NO_SPEECH[speech]
    if heard is None or heard.octets == 0 or heard.blocks == 0:
        return "nothing-in"
    if heard.silent >= MOSTLY * heard.blocks:
        return "only-silence"
    if heard.noisy > NOISY * heard.blocks:
        return "noise"
    if heard.realigned:
        return "octets-lost"
    return _of_loop(heard) if loop else _of_far_end(heard)


_NO_SPEECH = {"none": "no-speech-port", "refused": "port-refused", "lost": "port-lost"}


def _of_loop(heard: Heard) -> str:
    if heard.tone == 0:
        return "not-heard"
    if heard.jumps + heard.slips >= BROKEN:
        return "crackle"
    return "weak" if heard.best_db < heard.said_db - WEAK_DB else "good"


def _of_far_end(heard: Heard) -> str:
    if heard.slips >= BROKEN:
        return "crackle"
    return "echo" if heard.tone and heard.best_db > heard.said_db - ECHO_DB else "heard-only-in"
