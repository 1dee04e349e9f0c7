"""Notes after an action: what was done, what it means, and Undo where it can be taken back."""

from typing import Any

from flask import flash


def done(strong: str, text: str = "", undo: int = 0, icon: str = "circle-check") -> None:
    """It worked. `undo` is the row of the record of changes that /undo takes back."""
    _put({"strong": strong, "text": text, "undo": undo, "icon": icon}, "undo" if undo else "ok")


def wrong(strong: str, text: str = "") -> None:
    """It did not work."""
    _put({"strong": strong, "text": text, "undo": 0, "icon": "circle-alert"}, "bad")


def _put(note: Any, look: str) -> None:
    """Flask keeps whatever JSON can hold; its annotation knows texts only."""
    flash(note, look)
