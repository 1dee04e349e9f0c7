"""What a minute to a number costs on a line, in words, for the pages where calls are sent on (F29)."""

from collections.abc import Mapping
from typing import cast

from babel.numbers import format_decimal
from flask_babel import gettext as _

from appliance.core.caps import rate_for
from appliance.settings.calling import line_more
from appliance.settings.fields import Value
from webui import i18n


def minute_words(line: Mapping[str, object], number: str) -> str:
    """A sentence for the settings of a line; "" where no number is set."""
    if not number:
        return ""
    rate = rate_for(number, line_more(cast(Mapping[str, Value], line))["rates"])
    if rate is None:
        return str(_("What a minute costs there is not known: enter it under Prices."))
    amount = format_decimal(rate.per_minute / 10000, format="#,##0.00##", locale=i18n.locale())
    return str(
        _("Each minute that is sent on costs %(price)s.", price=f"{amount} {line.get('currency') or ''}".strip())
    )
