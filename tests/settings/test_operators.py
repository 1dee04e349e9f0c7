"""What we suggest for operators can be stored as it is, and reads the answers we have on record."""

import pytest

from appliance.core.credit import amount_in
from appliance.core.patterns import fault
from appliance.settings.operators import Preset, preset, presets
from appliance.settings.schema import LINES, check_section


@pytest.mark.parametrize("one", presets(), ids=lambda one: one.id)
def test_every_suggestion_can_be_stored(one: Preset) -> None:
    line = {"id": "gsm0", "label": "A", "device": "/dev/x", **one.values()}
    clean, faults = check_section(LINES, {"items": [line]})
    assert faults == {}
    assert clean["items"][0]["balance_code"] == one.code
    assert fault(one.pattern) == ""


@pytest.mark.parametrize(
    ("name", "text", "amount"),
    [
        ("pl-plus", "Aktualny stan konta dla numeru 48123456789: 1,23 PLN. Konto wazne do dnia 01-01-2022", 123),
        ("pl-nju", "Twoja oferta to nju na karte.\n1.Stan konta glownego: 11.00 zl. Srodki wazne bezterminowo.", 1100),
        ("ua-kyivstar", "Na rahunku 45.00 grn. Detalno pro bonusy *100#", 4500),
        ("ua-lifecell", "Balans 35.28grn, bonus 1.00grn", 3528),
        ("de-o2", "Ihr Guthaben für die Nr.4915783647410 beträgt 5.78 Euro", 578),
        ("de-vodafone", "Aktuelles Guthaben: 5,12 EUR\nWähl bitte aus:\n1 Aufladen", 512),
        ("gb-o2", "O2: Your balance is £6.45. Text BALANCE free to 20202", 645),
        ("es-orange", "Su saldo es de 7,05 EUR", 705),
        ("es-orange", "Saldo: € 7,05", 705),
        ("pl-orange", "Masz 12,30 zł do wykorzystania", 1230),
    ],
)
def test_answers_on_record_are_read(name: str, text: str, amount: int) -> None:
    found = preset(name)
    assert found is not None
    assert amount_in(text, found.pattern) == amount


def test_suggestions_are_by_country_and_say_what_is_not_sure() -> None:
    assert {one.country for one in presets("UA")} == {"UA"}
    assert presets("XX") == ()
    assert any(one.verified for one in presets("PL"))
    assert not all(one.verified for one in presets("PL"))
    assert preset("none") is None
