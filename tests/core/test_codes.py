"""A one-time code is found, and nothing else is taken for one."""

import pytest

from appliance.core.codes import code_in, grouped

CODES = [
    ("Your code is 482913", "482913"),
    ("G-123456 is your Google verification code.", "123456"),
    ("482 913 is your Instagram code. Don't share it.", "482913"),
    ("WhatsApp code: 482-913\nDon't share this code", "482913"),
    ("Twój kod weryfikacyjny to 4829. Ważny 10 minut.", "4829"),
    ("Kod: 571204. Operacja: przelew 1250,00 PLN na konto 1234 z dnia 27.11.2026.", "571204"),
    ("Przelew na kwote 4500 PLN, rachunek 8812. Haslo SMS nr 3 z 27-11-2026: 61820394", "61820394"),
    ("Ваш код підтвердження: 7314. Нікому його не повідомляйте", "7314"),
    ("Пароль 55 20 91 дійсний 5 хв", "552091"),
    ("Su código de verificación es 904417. No lo comparta.", "904417"),
    ("Tu clave es 1180", "1180"),
    ("Codul dvs. este 338201 si expira in 10 minute.", "338201"),
    ("Parola unica: 9921", "9921"),
    ("Use X7K2P9 as … no. Your access code: X7K2P9", "X7K2P9"),
    ("123456 jest Twoim kodem Facebooka", "123456"),
    ("FB-44521 is your confirmation code", "44521"),
    ("Your one-time password for payment of 129.99 EUR at Shop is 700123", "700123"),
    ("<#> Your code is 2026\nFA+9qCX9VSu", "2026"),
    ("Your ExampleCo sign-in number is 747723.\n\n@example.com #747723", "747723"),
    ("Kod: 482 913", "482913"),
    ("Ваш код 9041", "9041"),
    ("Su código es 77421", "77421"),
    ("Codul / codul dvs: cod 5512", "5512"),
    ("Kod odbioru 482913, paczka 602677119182738", "482913"),
]
OTHERS = [
    "Your parcel 602677119182738 arrives tomorrow",
    "Call us on 600 100 200 or +48 600 100 200",
    "Paczka 12345678 czeka do 18:30, kod pocztowy 12345",
    "Rachunek 482913: do zapłaty 1250,00 zł do 27.11.2026",
    "See you on 2026-11-27 at 12:30",
    "Cena: 4500 PLN. Kod promocyjny: LATO",
    "Ваша посилка 20450912345678 прибула",
    "The code of conduct has 1200 words and costs 4500 EUR",
    "Hello",
    "Call me at 22 1234567",
    "kod do drzwi",
    "kwota 1234,50 zł, kod nieznany",
    "code +48600100200",
    "",
    "Your PIN was changed on 27.11.2026 at 12:30. Call +48225550100",
    "Order no. 482913 is on its way. No code needed.",
]


@pytest.mark.parametrize(("text", "code"), CODES)
def test_a_code_is_found_in_the_forms_of_services(text: str, code: str) -> None:
    assert code_in(text) == code


@pytest.mark.parametrize("text", OTHERS)
def test_a_price_a_date_a_phone_or_a_parcel_is_no_code(text: str) -> None:
    assert code_in(text) == ""


def test_a_code_is_shown_in_groups() -> None:
    assert [grouped(one) for one in ("482913", "61820394", "4829", "X7K2P9")] == [
        "482 913", "6182 0394", "4829", "X7K2P9",
    ]  # fmt: skip


def test_a_huge_text_is_read_in_no_time() -> None:
    assert code_in("kod " * 10_000 + "482913") == ""
