"""The exchange's verb `sms.send` for tests of the worker alone: the same request twice is one message."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing

from appliance.errors import ControlError
from appliance.journal.rows import Json
from appliance.journal.times import stamp
from appliance.worker.clock import PlanClock
from appliance.worker.lines import LineServer
from tests.worker.box import Box


class Sender:
    """`with Sender(box) as exchange:`. `asked` are all requests, `sent` those that made a message."""

    def __init__(self, box: Box) -> None:
        self.asked: list[Mapping[str, Json]] = []
        self.sent: list[Mapping[str, Json]] = []
        self.refuse = ""
        self._box = box
        self._server = LineServer(box.places.control, {"sms.send": self._send, "status": lambda args: {}})

    def __enter__(self) -> "Sender":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _send(self, args: Mapping[str, Json]) -> Mapping[str, Json]:
        self.asked.append(args)
        if self.refuse:
            raise ControlError(self.refuse)
        now = stamp(PlanClock().now())
        with closing(sqlite3.connect(self._box.places.journal, timeout=5)) as db, db:
            made = db.execute(
                "INSERT OR IGNORE INTO sms_out (line, recipient, text, origin, created_at, updated_at, next_at, key,"
                " reply_to, by_) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (args.get("line") or "gsm0", args["to"], args["text"], args["origin"], now, now, now, args["key"],
                 args.get("reply_to"), "office@x.test" if args["origin"] == "mail" else ""),
            )  # fmt: skip
        if made.rowcount:
            self.sent.append(args)
        return {"id": made.lastrowid or 0}

    def fail(self, number: int, reason: str) -> None:
        """The network has refused message `number` for good."""
        with closing(sqlite3.connect(self._box.places.journal, timeout=5)) as db, db:
            db.execute("UPDATE sms_out SET state = 'failed', reason = ? WHERE id = ?", (reason, number))
