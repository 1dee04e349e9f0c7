"""What a person hears of pieces: at once when all was spoken before, a moment later when not, and never nothing."""

from pathlib import Path

import pytest

from appliance.core import commands as do
from appliance.core import events as ev
from appliance.core.model import LegId
from appliance.exchange.speaking import PATIENCE_SECONDS, Speaking
from appliance.exchange.voices import Voices
from appliance.settings.prompts import Prompts, said_path

LEG = LegId("sip-1")


class Exchange:
    """Plays to one leg."""

    def __init__(self) -> None:
        self.said: list[list[str]] = []
        self.posted: list[ev.Event] = []
        self.commands = {do.StopPlay: lambda c: None, do.Play: lambda c: None}

    def extend(self, commands, events):
        self.commands.update(commands)

    def replace_command(self, kind, carry_out):
        before, self.commands[kind] = self.commands[kind], carry_out
        return before

    def country_of(self, leg):
        return "PL"

    def play_files(self, leg, paths):
        self.said.append([path.stem for path in paths])
        return True

    def post(self, event):
        self.posted.append(event)


class Office:
    def __init__(self, folder: Path) -> None:
        self.asked: list[tuple[str, list[str], str]] = []
        self.over: list[object] = []
        self.folder, self.at = folder, 100.0
        spoken = folder / "spoken"
        for name in ("en/queue-place", "tones/tone-beep"):
            (spoken / name).parent.mkdir(parents=True, exist_ok=True)
            (spoken / f"{name}.wav").touch()
        self.voices = Voices(folder / "voices", Prompts(folder / "uploads", [spoken]), self._ask, folder)
        self.exchange = Exchange()
        self.speaking = Speaking(self.exchange, self.voices, lambda: self.at)

    def _ask(self, verb, args, over) -> None:
        self.asked.append((verb, list(args["texts"]), args["language"]))
        self.over.append(over)

    def say(self, *pieces: str) -> None:
        self.exchange.commands[do.Say](do.Say(LEG, pieces, "en"))

    def spoken(self, text: str) -> None:
        path = said_path(self.folder / "voices", text, "en")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_what_was_spoken_before_is_said_at_once_as_one(office: Office) -> None:
    office.spoken("3")
    office.say("queue-place", "n:3", "tone-beep")
    assert office.exchange.said == [["queue-place", "n-3", "tone-beep"]]
    assert office.asked == []


def test_a_new_text_is_spoken_first_and_then_said(office: Office) -> None:
    office.say("t:Call for Sales", "tone-beep")
    assert office.asked == [("speak.cached", ["Call for Sales"], "en")]
    office.speaking.tick(office.at)
    assert office.exchange.said == []
    office.spoken("Call for Sales")
    office.speaking.tick(office.at)
    assert len(office.exchange.said[0]) == 2
    office.say("t:Call for Sales")
    assert len(office.exchange.said) == 2
    assert len(office.asked) == 1


def test_a_worker_that_does_not_answer_costs_the_text_and_not_the_call(office: Office) -> None:
    office.say("t:Call for Sales", "tone-beep")
    office.speaking.tick(office.at + PATIENCE_SECONDS)
    assert office.exchange.said == [["tone-beep"]]
    office.say("t:Call for Sales")
    office.speaking.tick(office.at + PATIENCE_SECONDS)
    assert office.exchange.posted == [ev.PromptEnded(LEG, ok=False)]


def test_the_first_number_has_all_of_them_spoken(office: Office) -> None:
    office.say("n:7")
    wanted = [text for _, texts, _ in office.asked for text in texts]
    assert wanted[0] == "7"
    assert sorted(wanted, key=int) == [str(n) for n in range(121)]
    office.say("n:8")
    assert len(wanted) == 121, "what was asked for is not asked for again"


def test_nothing_is_said_to_who_does_not_wait_any_more(office: Office) -> None:
    office.say("t:Call for Sales")
    office.exchange.commands[do.StopPlay](do.StopPlay(LEG))
    office.spoken("Call for Sales")
    office.speaking.tick(office.at)
    assert office.exchange.said == []


def test_a_message_of_a_mailbox_is_a_piece(office: Office) -> None:
    (office.folder / "c1-message.wav").touch()
    office.say("v:c1-message", "tone-beep")
    office.say("v:../spoken/en/queue-place", "tone-beep")
    assert office.exchange.said == [["c1-message", "tone-beep"], ["tone-beep"]]
