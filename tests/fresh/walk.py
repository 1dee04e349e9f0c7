"""The main job on a freshly set-up system, with the commands that `make start` printed.

    python -m tests.fresh.walk WHAT_IT_PRINTED     the appliance runs on this machine; ends 1 at the first thing wrong

A registered baresip (102) is rung and answers; 440 Hz of the caller and 1000 Hz of the phone are each found on the
other side; the message is in the mailbox; on the wire an allowed caller causes an INVITE, blocked none, allowed again
one; outside hours the caller hears the announcement and the row says why.
"""

import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from appliance.exchange.control import ask
from appliance.settings.places import Places
from tests.acceptance.test_capture import invites
from tests.peers import sound
from tests.peers.baresip import Phone
from tests.peers.waiting import until

PHONE = "127.0.0.99"  # its own address, so that its packets are told from the demo phone's
OPEN, CLOSED = "2026-11-27T12:00", "2026-11-28T12:00"  # a Friday, a Saturday


def run(command: str) -> str:
    """A line as a person types it, in the folder of the checkout."""
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class Walk:
    """`printed`: what `make start` said."""

    def __init__(self, printed: str, folder: Path) -> None:
        call = re.search(r"(\S+centralka) virtual gsm0 call (\S+)", printed)
        sms = re.search(r"\S+centralka virtual gsm0 sms \S+ \"[^\"]*\"", printed)
        assert call, "no command for a call was printed"
        assert sms, "no command for a message was printed"
        self.command, self.caller, self.call, self.sms = call[1], call[2], call[0], sms[0]
        self.folder = folder
        self.places = Places.of()
        secret = ask(self.places.control, "secret.show", {"kind": "phone", "id": "p102"}, "walk").ok
        assert secret, "the phone's password cannot be had"
        mic = sound.tone(folder / "mic.wav", 1000, 120)
        server = str(secret["server"])
        self.phone = Phone(folder / "phone", PHONE, server, "102", str(secret["password"]), mic)
        self.phone.wait_registered()
        self.server = server
        run(f"{self.command} virtual clock {OPEN}")

    def story(self) -> str:
        return run(f"{self.command} call")

    def call_and_talk(self) -> str:
        heard = self.folder / "heard.wav"
        said = sound.tone(self.folder / "said.wav", 440, 60)
        run(f"{self.command} virtual gsm0 play {said} --loop")
        run(f"{self.command} virtual gsm0 record {heard}")
        run(self.call)
        self.phone.wait("CALL_INCOMING")
        self.phone.answer()
        self.phone.wait("CALL_ESTABLISHED")
        until("speech at the phone", lambda: len(sound.read(self.phone.heard())) > 5 * 8000, 20, 0.2)
        until("speech at the caller", lambda: heard.exists() and len(sound.read(heard)) > 4.5 * 8000, 20, 0.2)
        run(f"{self.command} virtual gsm0 hang-up")
        self.phone.wait("CALL_CLOSED")
        told = []
        for where, path, tone, own in (("phone", self.phone.heard(), 440, 1000), ("caller", heard, 1000, 440)):
            found = sound.analyse(sound.read(path), tone, own)
            assert found.share >= 0.8, (where, found)
            assert found.own < 0.01, (where, found)
            assert found.longest_gap <= 0.04, (where, found)
            told.append(f"{where} hears {tone} Hz with {found.share:.1%} of the energy, own tone {found.own:.2%}, "
                        f"longest gap {found.longest_gap * 1000:.0f} ms")  # fmt: skip
        until("the row", lambda: "answered by 102" in self.story())
        return "; ".join(told)

    def message(self) -> str:
        run(self.sms)
        text = until("the mail", lambda: m if "Hello" in (m := run(f"{self.command} virtual mail")) else "", 10, 0.2)
        return text.strip().splitlines()[-1].strip()

    def blocked(self) -> str:
        capture = self.folder / "sip.pcap"
        dump = subprocess.Popen(
            ["tshark", "-q", "-i", "lo", "-w", str(capture), "-f", "udp port 5060"], stderr=subprocess.PIPE, text=True
        )
        assert dump.stderr
        until("tshark listens", lambda: "Capturing" in dump.stderr.readline(), 20)
        counts, stories = [], []
        for blocked in (False, True, False):
            entry = ""
            if blocked:
                entry = re.findall(r"entry (\d+)", run(f"{self.command} block {self.caller}"))[0]
            before = self.story()
            run(self.call)
            if not blocked:
                self.phone.wait("CALL_INCOMING")
                run(f"{self.command} virtual gsm0 hang-up")
                self.phone.wait("CALL_CLOSED")
            stories.append(until("the row", lambda old=before: s if (s := self.story()) != old else ""))
            time.sleep(1)  # tshark writes what it has seen once a second
            counts.append(invites(capture, self.server, PHONE))
            if entry:
                run(f"{self.command} unblock {entry}")
        dump.terminate()
        dump.communicate(timeout=10)
        assert counts == [1, 1, 2], counts
        assert "Refused: blocklist" in stories[1], stories[1]
        return f"INVITEs so far {counts}; {stories[1].strip().splitlines()[-1].strip(' -')}"

    def closed(self) -> str:
        heard = self.folder / "closed.wav"
        run(f"{self.command} virtual clock {CLOSED}")
        run(f"{self.command} virtual gsm0 record {heard}")
        before = self.story()
        run(self.call)
        story = until("the row", lambda: s if (s := self.story()) != before else "", 40, 0.3)
        speech = sound.read(heard)
        assert sound.level(speech) > 0.01, "the caller heard nothing"
        assert "Outside hours" in story, story
        assert not self.phone.saw("CALL_INCOMING")
        run(f"{self.command} virtual clock real")
        return f"{len(speech) / 8000:.1f} s of speech; {story.strip().splitlines()[1].strip()}"


def main() -> int:
    printed = Path(sys.argv[1]).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="walk") as name:
        walk = Walk(printed, Path(name))
        steps: dict[str, Callable[[], str]] = {
            "a call is answered and both hear each other": walk.call_and_talk,
            "a message is in the mailbox": walk.message,
            "a blocked caller rings nobody": walk.blocked,
            "outside hours the announcement is heard": walk.closed,
        }
        try:
            for what, step in steps.items():
                sys.stdout.write(f"{what}: {step()}\n")
                sys.stdout.flush()
        finally:
            walk.phone.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
