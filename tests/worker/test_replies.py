"""What a person wrote above the quote is the answer; what a machine wrote is none."""

import email
from email import policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.worker.replies import MOST_PARTS, above_quote, answer_of, automatic, parts_of, read
from appliance.worker.tokens import Answers

QUOTES = {
    "gmail, English": "See you at noon\n\nOn Fri, 27 Nov 2026 at 12:00, Biuro <box@office.test> wrote:\n> SMS text",
    "gmail, broken line": "See you at noon\n\nOn Fri, 27 Nov at 12:00, Biuro Żuraw <box@office.test>\nwrote:\n> x",
    "gmail, Polish": "See you at noon\n\npt., 27 lis 2026 o 12:00 Biuro <box@office.test> napisał(a):\n\n> SMS",
    "thunderbird, Polish": "See you at noon\n\nW dniu 27.11.2026 o 12:00, Biuro pisze:\n> SMS",
    "gmail, Ukrainian": "See you at noon\n\nпт, 27 лист. 2026 р. о 12:00 Biuro <box@office.test> пише:\n\n> SMS",
    "gmail, Spanish": "See you at noon\n\nEl vie, 27 nov 2026 a las 12:00, Biuro (<box@office.test>) escribió:\n> SMS",
    "gmail, Romanian": "See you at noon\n\nÎn vin., 27 nov. 2026 la 12:00, Biuro <box@office.test> a scris:\n> SMS",
    "outlook": "See you at noon\n\n________________________________\nFrom: Biuro <box@office.test>\nSent: Friday",
    "outlook without a rule": "See you at noon\n\nFrom: Biuro <box@office.test>\nSent: Friday\nTo: Anna\nSubject: x",
    "outlook, Polish": "See you at noon\n\nOd: Biuro <box@office.test>\nWysłano: piątek\nDo: Anna\nTemat: x",
    "old outlook": "See you at noon\n\n-----Original Message-----\nFrom: Biuro",
    "apple": "See you at noon\n\n> On 27 Nov 2026, at 12:00, Biuro <box@office.test> wrote:\n> \n> SMS",
    "signature": "See you at noon\n\n-- \nAnna Nowak\nBiuro Żuraw",
    "phone": "See you at noon\n\nSent from my iPhone",
    "phone, Polish": "See you at noon\n\nWysłano z iPhone'a",
}


@pytest.mark.parametrize("name", QUOTES)
def test_the_quote_and_the_signature_are_cut_off(name: str) -> None:
    assert above_quote(QUOTES[name]) == "See you at noon"


@pytest.mark.parametrize(
    "text",
    [
        "On Friday we are closed.\nCome on Monday.",
        "From here it is 5 km.\nTo the station: 2 km",
        "I wrote: nothing",
        "Line one\n\nLine two",
        "Do: jutra. Od: dziś",
        "- first\n- second",
    ],
)
def test_a_text_that_looks_like_a_quote_stays_whole(text: str) -> None:
    assert above_quote(text) == text


def mail(text: str = "See you at noon", **headers: str) -> EmailMessage:
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = headers.pop("From", "Anna <anna@office.test>")
    made["Message-ID"] = "<1@office.test>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


MACHINES = {
    "out of office": {"Auto_Submitted": "auto-replied"},
    "generated": {"Auto_Submitted": "auto-generated; owner-email=x"},
    "bulk": {"Precedence": "bulk"},
    "junk": {"Precedence": "junk"},
    "list": {"List_Id": "<list.example.com>"},
    "autoreply": {"X_Autoreply": "yes"},
    "bounce": {"From": "MAILER-DAEMON@mail.test"},
    "empty return path": {"Return_Path": "<>"},
    "no reply": {"From": "no-reply@shop.test"},
    "loop": {"X_Loop": "centralka"},
}


@pytest.mark.parametrize("name", MACHINES)
def test_what_a_machine_sent_is_known(name: str) -> None:
    assert automatic(mail(**MACHINES[name])) != ""


def test_what_a_person_sent_is_not_taken_for_a_machine() -> None:
    assert automatic(mail()) == ""
    assert automatic(mail(Auto_Submitted="no", Return_Path="<anna@office.test>", Precedence="normal")) == ""


def test_a_mail_of_html_alone_is_read_without_its_quote() -> None:
    made = EmailMessage()
    made["From"] = "anna@office.test"
    made.set_content(
        "<html><head><style>p{}</style></head><body><div>See you <b>at&nbsp;noon</b></div><div>Anna</div>"
        '<div class="gmail_quote"><div>On Friday wrote:</div><blockquote>SMS</blockquote></div></body></html>',
        subtype="html",
    )
    assert answer_of(made) == "See you at noon\nAnna"
    made.set_content("<p>Yes</p><blockquote>SMS</blockquote><p></p>", subtype="html")
    assert answer_of(made) == "Yes"


def test_flowed_lines_are_one_line() -> None:
    octets = (
        b"From: anna@office.test\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\n\r\n"
        b"See you \r\nat noon\r\n> SMS\r\n"
    )
    assert read(octets).text == "See you at noon"


def test_letters_of_all_languages_arrive(tmp_path: object) -> None:
    octets = mail("Zażółć gęślą jaźń, Привіт 😀").as_bytes()
    assert read(octets).text == "Zażółć gęślą jaźń, Привіт 😀"


def test_parts_are_counted_by_alphabet() -> None:
    assert [parts_of(t) for t in ("a" * 160, "a" * 161, "ą" * 70, "ą" * 71, "€" * 81)] == [1, 2, 1, 2, 2]
    assert parts_of("a" * 153 * MOST_PARTS) == MOST_PARTS
    assert parts_of("a" * 153 * MOST_PARTS + "a") == MOST_PARTS + 1


def test_a_token_is_found_in_the_address_or_the_references_and_nowhere_else() -> None:
    answers = Answers("box@office.test", True, b"k" * 32)
    token = answers.token(12, "gsm0", "+48600100200")
    there = answers.reply_to(token)
    assert there == f"box+{token}@office.test"
    assert answers.found_in(f"Box <{there.upper()}>", "") == answers.found_in(
        "", f"<a@b> <reply.{token}@centralka.local>"
    )
    found = answers.found_in(there, "")
    assert found is not None
    assert answers.valid(found, "gsm0", "+48600100200")
    assert not answers.valid(found, "gsm1", "+48600100200")
    assert not answers.valid(found, "gsm0", "+48600100201")
    assert answers.found_in(f"other+{token}@office.test", "<x@y>") is None
    assert Answers("box@office.test", False, b"k" * 32).reply_to(token) == "box@office.test"


@given(st.binary(max_size=2000))
@settings(max_examples=150, deadline=None)
def test_any_octets_are_read(octets: bytes) -> None:
    answer = read(b"From: a@b\r\nContent-Type: text/html; charset=\xff\r\n" + octets)
    assert isinstance(answer.text, str)
    assert answer.key


@pytest.mark.parametrize(
    "octets",
    [
        b"From: =?utf-8?b?//8=?= <\xff@\xff>\r\nMessage-ID: <" + b"x" * 5000 + b">\r\n\r\nhi",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 3000,
        b"Content-Type: text/plain; charset=no-such\r\n\r\nhi",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"",
    ],
)
def test_a_broken_mail_ends_nothing(octets: bytes) -> None:
    assert read(octets).key


def test_a_long_hostile_text_is_cut_in_no_time() -> None:
    assert above_quote("on " * 80_000) != ""
    assert above_quote(("On a" * 60 + "\n") * 2000)
    assert email.message_from_bytes(b"") is not None
