"""An announcement of the owner: uploaded on the page of a real box, heard by a caller outside hours."""

import io
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from appliance.exchange.control import SECONDS_TO_ANSWER
from tests.acceptance.conftest import CLOSED, Office
from tests.peers import sound
from tests.peers.waiting import until

CALLER = "+48600100200"
PASSWORD = "three blue chairs"


@pytest.fixture
def office() -> Iterator[Office]:
    with Office(("virtual", "exchange", "worker", "web")) as box:
        yield box


class Visitor:
    """A browser without JavaScript, signed in as the owner of a new box."""

    def __init__(self, office: Office) -> None:
        self._base = f"http://{office.address}:8080"
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.get(f"/start?token={office.places.first_start.read_text().strip()}")
        made = {"display": "Anna", "name": "anna", "password": PASSWORD, "again": PASSWORD}
        assert self.post("/start/password", made)[0] == 200

    def get(self, path: str) -> str:
        with self._opener.open(self._base + path, timeout=10) as answer:
            return str(answer.read().decode())

    def raw(self, path: str) -> bytes:
        with self._opener.open(self._base + path, timeout=10) as answer:
            return bytes(answer.read())

    def post(self, path: str, form: dict[str, str], page: str = "", file: Path | None = None) -> tuple[int, str]:
        """The status and the page after redirects; a file goes as multipart, as a browser sends it."""
        form = {"csrf_token": self._token(page or path), **form}
        body, kind = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        if file:
            body, kind = _multipart(form, file), "multipart/form-data; boundary=edge"
        asked = urllib.request.Request(self._base + path, body, {"Content-Type": kind})
        try:
            with self._opener.open(asked, timeout=80) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def _token(self, page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page))
        assert found, page
        return found[1]


def _multipart(form: dict[str, str], file: Path) -> bytes:
    out = io.BytesIO()
    for name, value in form.items():
        out.write(f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    out.write(f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'.encode())
    out.write(file.read_bytes() + b"\r\n--edge--\r\n")
    return out.getvalue()


def mp3(path: Path, hertz: int, seconds: int) -> Path:
    """An mp3 with a tone, stereo at 44.1 kHz as people have it."""
    command = ["sox", "-n", "-r", "44100", "-c", "2", "-C", "128", str(path), "synth", str(seconds), "sine", str(hertz)]
    subprocess.run(command, check=True, timeout=30)
    return path


def share_heard(office: Office, tmp_path: Path, hertz: float) -> float:
    """How much of what a caller hears outside hours is this tone."""
    heard = tmp_path / f"heard-{len(office.calls())}.wav"
    before = len(office.calls())
    office.virtual(f"gsm0 record {heard}")
    office.virtual(f"gsm0 call {CALLER}")
    row = office.wait_calls(before + 1, 30)[-1]
    assert (row["cause"], row["answered_by"]) == ("closed", "announcement")
    return sound.analyse(sound.read(heard), hertz, hertz * 1.5, 2.0).share


def test_a_caller_outside_hours_hears_the_uploaded_mp3_and_after_its_removal_the_spoken_text(
    office: Office, tmp_path: Path
) -> None:
    anna = Visitor(office)
    office.at(CLOSED)
    page = "/hours/prompts/closed"
    code, said = anna.post(f"{page}/upload", {}, page, mp3(tmp_path / "tone.mp3", 700, 4))
    assert (code, "Your recording is used from now on." in said) == (200, True)
    assert share_heard(office, tmp_path, 700) > 0.9
    played = tmp_path / "played.wav"
    played.write_bytes(anna.raw(f"{page}/sound"))
    assert sound.analyse(sound.read(played), 700, 1000, 3.0).share > 0.9, "the page plays what the caller hears"
    code, said = anna.post(f"{page}/remove", {})
    assert "The spoken standard text is back." in said
    assert share_heard(office, tmp_path, 700) < 0.3
    assert list(office.places.prompts.glob("upload-*")) == []
    whats = [row["what"] for row in office.rows("audit")]
    assert {"prompt.upload", "prompt.remove"} <= set(whats)


def test_a_line_says_a_further_announcement_and_what_is_no_sound_is_refused(office: Office, tmp_path: Path) -> None:
    anna = Visitor(office)
    office.at(CLOSED)
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"ID3" + bytes(range(256)) * 40)
    long = mp3(tmp_path / "long.mp3", 700, 301)
    big = tmp_path / "big.wav"
    big.write_bytes(bytes(7 * 1024 * 1024))
    for file, words in ((broken, "neither a wav nor an mp3"), (long, "too long"), (big, "This file has 7.0 MB")):
        code, said = anna.post("/hours/prompts/new", {"name": "Holidays", "text": ""}, file=file)
        assert (code, words in said) == (422, True), (file, said)
    code, said = anna.post("/hours/prompts/new", {"name": "Holidays", "text": ""}, file=mp3(tmp_path / "t.mp3", 900, 4))
    assert (code, "“Holidays” is there." in said) == (200, True)
    office.put_item("lines", "gsm0", closed_prompt="holidays")
    assert share_heard(office, tmp_path, 900) > 0.9
    assert office.try_ask("prompt.remove", id="holidays").error == "prompt-in-use"
    code, said = anna.post("/hours/prompts/holidays/speak", {"text": "We are on holidays.", "language": "en"},
                           "/hours/prompts/holidays")  # fmt: skip
    assert (code, "Your text is spoken from now on." in said) == (200, True)
    assert share_heard(office, tmp_path, 900) < 0.3


def test_work_that_takes_longer_than_an_answer_may_is_waited_for(office: Office) -> None:
    """The worker stands still for longer than the exchange's and the page's usual patience."""
    anna = Visitor(office)
    worker = office.processes["worker"].process
    worker.send_signal(signal.SIGSTOP)
    again = threading.Timer(SECONDS_TO_ANSWER + 2, worker.send_signal, (signal.SIGCONT,))
    again.start()
    page = "/hours/prompts/nobody"
    began = time.monotonic()
    code, said = anna.post(f"{page}/speak", {"text": "Please call tomorrow.", "language": "en"}, page)
    again.join()
    assert time.monotonic() - began > SECONDS_TO_ANSWER
    assert (code, "Your text is spoken from now on." in said) == (200, True)


def test_a_second_line_comes_and_goes_while_the_box_runs(office: Office, tmp_path: Path) -> None:
    """Its modem is not there, and the first line is none the worse for it."""
    anna = Visitor(office)
    assert "In use by “Reception”." in anna.get("/lines/new")
    form = {"label": "Sales", "number": "+48 990 120 200", "device": str(tmp_path / "no-modem"), "group": "office"}
    code, said = anna.post("/lines/new", form)
    assert (code, "The line is there." in said) == (200, True)
    until("the new line runs", lambda: [one for one in office.status()["lines"] if one["label"] == "Sales"])
    assert office.line("gsm1")["state"] == "not-there"
    code, said = anna.post("/lines/gsm1/remove", {})
    assert (code, "“Sales” is removed." in said) == (200, True)
    assert [one["id"] for one in office.status()["lines"]] == ["gsm0"]
    assert office.line()["state"] == "up"
