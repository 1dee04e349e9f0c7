"""One-time codes on the page: shown large, read out digit by digit, copied as they are typed; and how old they are."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from appliance.core.codes import code_in, grouped
from webui import here, i18n, traces


@dataclass(frozen=True, slots=True)
class Code:
    """A code for the eye, for the ear and for the clipboard."""

    shown: str
    spoken: str
    typed: str


def code_of(text: str) -> Code | None:
    """The code of a message."""
    code = code_in(text)
    return Code(grouped(code), " ".join(code), code) if code else None


def age(stamp: str) -> str:
    """How long ago, as far as that matters for a code."""
    minutes = int((here.local_now() - i18n.local(stamp)).total_seconds() // 60)
    if minutes < 1:
        return str(_("just now"))
    if minutes < 60:
        return str(ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes))
    return i18n.when(stamp)


FILTERS = {"code_of": code_of, "age": age, "steps": traces.draw}
