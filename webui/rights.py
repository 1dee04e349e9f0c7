"""What an account may do with recordings and messages: four rights of their own, apart from the call's other data.

Every page, link and list that leads to a sound asks here. The administrator has all four.
"""

from enum import StrEnum

from flask import abort

from webui import here


class Right(StrEnum):
    """What is done with a sound."""

    HEAR = "hear"
    DOWNLOAD = "download"
    DELETE = "delete"
    EXPORT = "export"


RIGHTS: dict[str, frozenset[Right]] = {"main": frozenset(Right)}  # by role; another role has none until it is named


def may(right: Right, line: str = "") -> bool:
    """Whether who is signed in has the right, for recordings of this line."""
    del line  # every role of today sees every line
    return right in RIGHTS.get(here.visitor().account.role, frozenset())


def need(right: Right, line: str = "") -> None:
    """The same as an end of the request: 403, noted."""
    if not may(right, line):
        here.audit("right.missing", {}, {"right": str(right), "line": line})
        abort(403)
