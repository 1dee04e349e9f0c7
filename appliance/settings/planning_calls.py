"""From the settings of call handling to the plan: schemes, menus, mailboxes, their part of lines, groups, people."""

import re
from collections.abc import Mapping
from datetime import time
from typing import Any

from appliance.core.model import LineId
from appliance.core.plan_time import Range
from appliance.core.scheme import Branch, Destination, Key, Mailbox, Menu, Scheme, SchemeBlock, Strategy, To
from appliance.settings.fields import Value
from appliance.settings.secret import Secret

Row = Mapping[str, Value]


def scheme(row: Row) -> Scheme:
    """A row of the section `schemes`."""
    return Scheme(
        str(row["id"]), str(row["name"]), tuple(_branch(b) for b in _records(row.get("branches"))),
        _single(row, "backup_"),
    )  # fmt: skip


def menu(row: Row) -> Menu:
    """A row of the section `menus`."""
    return Menu(
        id=str(row["id"]),
        name=str(row["name"]),
        prompt=str(row["prompt"]),
        keys=tuple(Key(str(k["digits"]), _destination(k)) for k in _records(row.get("keys"))),
        seconds=_number(row["seconds"]),
        tries=int(_number(row["tries"])),
        extensions=bool(row["extensions"]),
        no_key=_single(row, "no_key_"),
        wrong_key=_single(row, "wrong_key_"),
    )


def mailbox(row: Row) -> Mailbox:
    """A row of the section `mailboxes`."""
    pin = row.get("pin")
    return Mailbox(
        id=str(row["id"]),
        name=str(row["name"]),
        owner=str(row.get("owner") or ""),
        greeting=str(row.get("greeting") or "mailbox"),
        seconds=_number(row["seconds"]),
        silence=_number(row["silence"]),
        pin=pin.reveal() if isinstance(pin, Secret) else "",
        mail_to=tuple(str(to) for to in _list(row.get("mail_to"))),
        sms_to=str(row.get("sms_to") or ""),
    )


def line_more(row: Row) -> dict[str, Any]:
    """What `plan.Line` has of call handling."""
    users = frozenset(str(user) for user in _list(row.get("users")))
    texts = (
        "mode", "forward_to", "scheme", "no_answer_to", "closed_to", "offline", "offline_to", "refuse", "refuse_to",
        "welcome", "first_greeting", "whisper", "whisper_prompt", "music",
    )  # fmt: skip
    switches = ("first_withheld", "record", "record_notice", "presents")
    return {
        **{name: str(row.get(name) or "") for name in texts},
        **{name: bool(row.get(name)) for name in switches},
        "forward_over": _line_id(row.get("forward_over")),
        "users": None if row.get("everybody", True) else users,
    }


def group_more(row: Row) -> dict[str, Any]:
    """What `plan.Group` has of strategies and queues."""
    switches = ("queue", "place", "call_back")
    return {
        "strategy": Strategy(str(row["strategy"])),
        "step": _number(row["step"]),
        "music": str(row.get("music") or "hold"),
        "repeat": _number(row["repeat"]),
        "announcement": str(row.get("announcement") or ""),
        "longest": _number(row["longest"]),
        "most": int(_number(row["most"])),
        "wrap_up": _number(row["wrap_up"]),
        **{name: bool(row[name]) for name in switches},
    }


def person_more(row: Row) -> dict[str, Any]:
    """What `plan.Person` has of forwarding."""
    texts = ("mobile", "forward_always", "forward_busy", "forward_no_answer", "forward_offline")
    return {
        **{name: str(row.get(name) or "") for name in texts},
        "call_waiting": bool(row.get("call_waiting")),
        "forward_seconds": _number(row["forward_seconds"]),
        "record": bool(row.get("record")),
    }


def _branch(row: Row) -> Branch:
    return Branch(
        name=str(row.get("name") or ""),
        always=bool(row["always"]),
        ranges=tuple(_range(r) for r in _records(row.get("ranges"))),
        blocks=tuple(_block(b) for b in _records(row.get("blocks"))),
        days=str(row["days"]),
        night=str(row["night"]),
    )


def _block(row: Row) -> SchemeBlock:
    return SchemeBlock(
        tuple(_destination(d) for d in _records(row.get("destinations"))), Strategy(str(row["strategy"])),
        _number(row["seconds"]), _number(row["step"]),
    )  # fmt: skip


def _destination(row: Row) -> Destination:
    return Destination(
        To(str(row["to"])), _ref(row, str(row["to"]), "ref"), _line_id(row.get("line")), _number(row.get("delay") or 0),
        bool(row.get("confirm")),
    )  # fmt: skip


def _single(row: Row, prefix: str) -> Destination | None:
    to = str(row.get(f"{prefix}to") or "")
    if not to:
        return None
    return Destination(To(to), _ref(row, to, f"{prefix}ref"), _line_id(row.get(f"{prefix}line")))


def _ref(row: Row, to: str, name: str) -> str:
    """An id, or a number outside without the spaces it was written with."""
    ref = str(row.get(name) or "")
    return re.sub(r"[\s().\-/]", "", ref) if to == "outside" else ref


def _range(row: Row) -> Range:
    return Range(int(_number(row["day"])), time.fromisoformat(str(row["start"])), time.fromisoformat(str(row["end"])))


def _line_id(value: Value) -> LineId | None:
    return LineId(str(value)) if value else None


def _number(value: Value) -> float:
    return float(str(value))


def _list(value: Value) -> list[Value]:
    return list(value) if isinstance(value, list) else []


def _records(value: Value) -> list[Row]:
    return [v for v in _list(value) if isinstance(v, Mapping)]
