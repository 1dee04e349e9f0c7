"""The last that is known of each line, by name: kept here, and in the journal over a restart. Loop thread."""

from collections.abc import Callable, Iterable

from appliance.errors import JournalError
from appliance.exchange.clock import Clock
from appliance.journal.sims import LineFact
from appliance.journal.times import stamp
from appliance.journal.writer import Done
from appliance.journal.writes import PutLineFact, Result, Write

Submit = Callable[[Write, Done | None], None]  # Writer.submit
Post = Callable[[Callable[[], None]], None]  # run this on the loop
Stored = Callable[[bool], None]  # whether it is on disk


class Facts:
    """Owned by the parts that name them; each name has one owner."""

    def __init__(self, submit: Submit, clock: Clock, post: Post) -> None:
        self._submit = submit
        self._clock = clock
        self._post = post
        self._known: dict[tuple[str, str], LineFact] = {}

    def restore(self, found: Iterable[LineFact]) -> None:
        """What the journal held at the start."""
        self._known = {(one.line, one.name): one for one in found}

    def get(self, line: str, name: str) -> object:
        """The value, None where nothing is known."""
        found = self._known.get((line, name))
        return found.value if found else None

    def put(self, line: str, name: str, value: object, then: Stored | None = None) -> None:
        """Know it from now on; `then` is called on the loop once it is on disk, or could not be put there."""
        at = stamp(self._clock.now())
        self._known[line, name] = LineFact(line, name, value, at)

        def done(result: Result | JournalError) -> None:  # storage thread
            if then:
                self._post(lambda: then(not isinstance(result, JournalError)))

        self._submit(PutLineFact(line, name, value, at), done)
