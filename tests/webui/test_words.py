"""Numbers and sentences as the page writes them."""

import pytest

from webui import i18n, phrases


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+48600100200", "+48 600 100 200"), ("+48221234567", "+48 22 123 45 67"),
        ("+380441234567", "+380 44 123 4567"), ("+34612345678", "+34 612 34 56 78"),
        ("+40721234567", "+40 721 234 567"), ("+40211234567", "+40 21 123 4567"),
        ("+12025550123", "+120 255 501 23"), ("+48123", "+48123"), ("19240", "19240"), ("InPost", "InPost"),
    ],
)  # fmt: skip
def test_a_number_is_grouped_as_its_country_writes_it_and_never_breaks(e164: str, shown: str) -> None:
    assert i18n.phone(e164) == shown.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("text", "first", "rest"),
    [
        ("The modem is gone. Check its cable. Twice.", "The modem is gone.", "Check its cable. Twice."),
        ("Mail is not set up: messages are kept here.", "Mail is not set up:", "messages are kept here."),
        ("Open until 18:00.", "Open until 18:00.", ""),
    ],
)
def test_a_note_leads_with_what_happened(text: str, first: str, rest: str) -> None:
    assert phrases.lead(text) == (first, rest)


def test_what_a_phone_calls_itself_is_shown_without_brackets() -> None:
    assert phrases.device("baresip v1.0.0 (x86_64/linux)") == "baresip v1.0.0"
