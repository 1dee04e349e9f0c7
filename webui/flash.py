"""Notes after an action: what was done, what it means, and Undo where it can be taken back."""

from flask import flash as put


def done(strong: str, text: str = "", undo: int = 0, icon: str = "circle-check") -> None:
    """It worked. `undo` is the row of the record of changes that /undo takes back."""
    put({"strong": strong, "text": text, "undo": undo, "icon": icon}, "undo" if undo else "ok")


def wrong(strong: str, text: str = "") -> None:
    """It did not work."""
    put({"strong": strong, "text": text, "undo": 0, "icon": "circle-alert"}, "bad")
