"""Who is blocked by himself: the fields of the section `screening`, and the rule they make. Pure."""

from collections.abc import Mapping

from appliance.core.repeats import Repeats
from appliance.settings.fields import Field, Integer, Switch, Value

STRANGERS = {"ring": "Let it ring", "key": "Ask for a key first"}
FIELDS: tuple[Field, ...] = (
    Switch(name="auto", label="Block by itself who calls too often outside hours", default=False,
           help="Never anybody on the allow list, nor our own numbers. It ends by itself and stands in the list."),
    Integer(name="auto_calls", label="Calls outside hours", default=3, least=2, most=20,
            help="The call that makes it this many is refused already."),
    Integer(name="auto_minutes", label="Within", unit="minutes", default=10, least=1, most=1440),
    Integer(name="auto_hours", label="Blocked for", unit="hours", default=24, least=1, most=8760),
)  # fmt: skip


def repeats_of(doc: Mapping[str, Value]) -> Repeats | None:
    """From the section; None while nobody is blocked by himself."""
    if not doc.get("auto"):
        return None
    return Repeats(*(int(str(doc[name])) for name in ("auto_calls", "auto_minutes", "auto_hours")))
