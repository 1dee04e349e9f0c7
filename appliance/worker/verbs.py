"""The verbs of `worker-req.sock`. Each runs on its request's thread, sees the office of that moment, changes no state.

mail.test  {any fields of the section mail}          {ok, said: [server's lines], error, error_id, error_args}
mailbox.test  {any fields of the section mailbox}    the same
speak      {text, language, id}                      {id, language, seconds}   into the owner's own prompts
speak.cached  {texts, language}                      {made}                    texts for `exchange.voices`
convert    {source, id}                              {id, seconds}             an upload becomes a prompt
state      {}                                        {mail: well|off|down|setup, why, error, said, ...}
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from appliance.errors import ControlError
from appliance.journal.rows import Json
from appliance.settings.places import Places
from appliance.settings.schema import ID, LANGUAGES, MAIL, MAILBOX
from appliance.worker.lines import Args, Verb, text_of
from appliance.worker.media import Sound, convert
from appliance.worker.office import Office, merged
from appliance.worker.speech import LONGEST_TEXT, render, speak
from appliance.worker.trial import not_tried, try_mail, try_mailbox
from appliance.worker.voices import speak_cached

log = logging.getLogger(__name__)


class Verbs:
    """Carries out requests."""

    def __init__(
        self,
        places: Places,
        office: Callable[[], Office],
        now: Callable[[], datetime],
        state: Callable[[], Mapping[str, Json]],
    ) -> None:
        self._places = places
        self._office = office
        self._now = now
        self._state = state

    def table(self) -> Mapping[str, Verb]:
        """Name to method."""
        return {
            "mail.test": self.mail_test,
            "mailbox.test": self.mailbox_test,
            "speak": self.speak,
            "speak.cached": self.speak_cached,
            "convert": self.convert,
            "state": lambda args: self._state(),
        }

    def mail_test(self, args: Args) -> Mapping[str, Json]:
        """Send a test mail with the stored settings and what is typed over them. Raises SettingsError."""
        office = self._office()
        try:
            mail = merged(MAIL, office.mail, args)
        except ControlError as error:
            return not_tried(error.id, office.desk)
        return try_mail(mail, office.desk, self._now())

    def mailbox_test(self, args: Args) -> Mapping[str, Json]:
        """Look into the mailbox with the stored settings and what is typed over them. Raises SettingsError."""
        office = self._office()
        try:
            mailbox = merged(MAILBOX, office.mailbox_settings, args)
        except ControlError as error:
            return not_tried(error.id, office.desk)
        return try_mailbox(mailbox, office.desk)

    def speak(self, args: Args) -> Mapping[str, Json]:
        """A text of the owner as a prompt. Raises ControlError."""
        text, language = text_of(args, "text", LONGEST_TEXT), text_of(args, "language", 10, required=False)
        language = language or self._office().desk.language
        if language not in LANGUAGES:
            raise ControlError("no-such-language", language=language)
        name = _id_of(args)
        sound = speak(text, language, self._places.uploads / f"{name}.wav")
        return {"id": name, "language": language, "seconds": _seconds(sound)}

    def speak_cached(self, args: Args) -> Mapping[str, Json]:
        """Texts that the exchange will say. Raises ControlError."""
        texts = args.get("texts")
        wanted = [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
        return {"made": speak_cached(self._places.voices, wanted, text_of(args, "language", 10))}

    def convert(self, args: Args) -> Mapping[str, Json]:
        """An uploaded file, which must lie below the folder of prompts, as a prompt. Raises ControlError."""
        name = _id_of(args)
        source = Path(text_of(args, "source", 4096))
        if not source.is_absolute():
            source = self._places.uploads / source
        try:
            found = source.resolve(strict=True)
        except (OSError, ValueError) as error:
            raise ControlError("no-such-file") from error
        if not found.is_relative_to(self._places.prompts.resolve()) or not found.is_file():
            raise ControlError("no-such-file")
        sound = convert(found, self._places.uploads / f"{name}.wav")
        return {"id": name, "seconds": _seconds(sound)}

    def speak_address(self, address: str, languages: Sequence[str]) -> None:
        """The prompt `address` in the languages of the office. Any thread; a fault is told in the log only."""
        try:
            made = render(self._places.rendered, languages, {"address": address}, only=("address",))
        except (ControlError, OSError, ValueError) as error:
            log.warning("the address could not be spoken: %s", getattr(error, "detail", "") or error)
        else:
            log.info("the address was spoken in %d languages", made)


def _id_of(args: Args) -> str:
    name = text_of(args, "id", 31)
    if not re.fullmatch(ID, name):
        raise ControlError("not-an-id")
    return name


def _seconds(sound: Sound) -> float:
    return round(sound.seconds, 2)
