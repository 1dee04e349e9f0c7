"""From a row of the outbox to the mail that leaves: pure, and the same row always gives the same octets.

What comes from the air (sender, text) is hostile: in a header it becomes one line of bounded length without control or
direction characters, in the body every other control character becomes U+FFFD. The mails of one sender on one line hang
on one root Message-ID that never existed as a mail (RFC 5322 3.6.4), so that a mailbox shows them as one thread.
Everything is written with seven bits, because a mail server need not offer more (RFC 5321 2.4).
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from appliance.core.codes import code_in, grouped
from appliance.journal.outbox import OutboxItem
from appliance.journal.rows import Json
from appliance.journal.times import moment
from appliance.words import ERRORS, NOTICES, say
from appliance.worker.phrases import phrase
from appliance.worker.tokens import HOST, Answers

POLICY = policy.SMTP.clone(cte_type="7bit", max_line_length=76)
LONGEST_NAME = 60
LONGEST_TEXT = 50_000  # 255 parts of 153 letters are 39,015
MOST_PDUS = 255
LONGEST_PDU = 400
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TOLD_ELSEWHERE = frozenset(
    {"incomplete", "completed", "undecodable", "replaced", *(f"replace-{n}" for n in range(1, 8))}
)

_DIRECTION = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])


@dataclass(frozen=True, slots=True)
class Desk:
    """What every mail of this office has in common. `translate` turns an English sentence of words.py; `answers` says
    where an answer becomes an SMS, None where it does not."""

    name: str
    language: str
    zone: ZoneInfo
    sender: str
    code_in_subject: bool = False
    translate: Callable[[str], str] = lambda sentence: sentence
    answers: Answers | None = None


def compose(item: OutboxItem, desk: Desk) -> EmailMessage:
    """The mail of an outbox row. Its Message-ID and date are the row's, on every repeat. Never raises for any payload
    that the journal can hold."""
    payload = item.payload
    mail = EmailMessage(policy=POLICY)
    mail["Message-ID"] = _message_id(item.message_id)
    mail["Date"] = _date(item.created_at, desk.zone)
    mail["From"] = Address(one_line(desk.name) or "Centralka", addr_spec=desk.sender)
    mail["To"] = ", ".join(_addresses(payload.get("to"))) or "undisclosed-recipients:;"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Loop"] = "centralka"
    mail["X-Auto-Response-Suppress"] = "All"
    _KINDS.get(_text(payload, "what"), _sms)(mail, payload, item, desk)
    return mail


def test_mail_of(desk: Desk, to: Sequence[str], message_id: str, now: datetime) -> EmailMessage:
    """The mail of the button "send a test mail"."""
    mail = EmailMessage(policy=POLICY)
    mail["Message-ID"] = _message_id(message_id)
    mail["Date"] = now.astimezone(desk.zone)
    mail["From"] = Address(one_line(desk.name) or "Centralka", addr_spec=desk.sender)
    mail["To"] = ", ".join(to)
    mail["Auto-Submitted"] = "auto-generated"
    office = one_line(desk.name)
    mail["Subject"] = phrase(desk.language, "test", office=office)
    mail.set_content(phrase(desk.language, "test-body", office=office) + "\n", charset="utf-8")
    return mail


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """Hostile text as one harmless line for a header or a label: no control, direction or line characters."""
    plain = unicodedata.normalize("NFC", text).translate(_DIRECTION)
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in plain)
    plain = " ".join(plain.split()).replace("=?", "= ?")  # no encoded words of theirs (RFC 2047)
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def body_text(text: str) -> str:
    """Hostile text for the body: its line ends are ours, other control characters become U+FFFD."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        "\ufffd" if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" else c for c in plain[:LONGEST_TEXT]
    )


def root_id(line: str, sender: str, host: str) -> str:
    """The Message-ID on which all mails of one sender on one line hang."""
    digest = hashlib.sha256(f"{line}|{sender.casefold().strip()}".encode("utf-8", "replace")).hexdigest()
    return f"<sms.{digest[:16]}@{host}>"


def _sms(mail: EmailMessage, payload: Mapping[str, Json], item: OutboxItem, desk: Desk) -> None:
    sender, line = _text(payload, "sender"), _text(payload, "line")
    shown = one_line(_text(payload, "sender_name")) or one_line(sender) or phrase(desk.language, "unknown-sender")
    label = one_line(_text(payload, "line_label")) or one_line(line)
    root = root_id(line, sender, item.message_id.rstrip(">").rpartition("@")[2] or HOST)
    token = _token(payload, desk)
    mail["In-Reply-To"] = root
    mail["References"] = f"{root} {Answers.reference(token)}" if token else root
    if token and desk.answers is not None:
        mail["Reply-To"] = desk.answers.reply_to(token)
    code = grouped(code_in(_text(payload, "text"))) if desk.code_in_subject else ""
    name = "subject-code" if code else "subject"
    mail["Subject"] = phrase(desk.language, name, sender=shown, line=label, code=code)
    mail.set_content(_sms_body(payload, label, desk, "footer-answer" if token else "footer"), charset="utf-8")


def _token(payload: Mapping[str, Json], desk: Desk) -> str:
    """What makes an answer to this mail an SMS; "" where nobody can be answered."""
    number = payload.get("sms_id")
    if desk.answers is None or not isinstance(number, int) or payload.get("sender_kind") not in ("e164", "short"):
        return ""
    return desk.answers.token(number, _text(payload, "line"), _text(payload, "sender"))


def _sms_body(payload: Mapping[str, Json], label: str, desk: Desk, footer: str) -> str:
    flags = _texts(payload.get("flags"))
    unreadable = "undecodable" in flags
    text = body_text(_text(payload, "text"))
    parts = [text.strip("\n") or ("" if unreadable else phrase(desk.language, "no-text"))]
    if len(_text(payload, "text")) > LONGEST_TEXT:
        parts.append(phrase(desk.language, "cut"))
    if unreadable:
        parts.append(phrase(desk.language, "undecodable") + "\n\n" + _hex(payload.get("pdu")))
    parts += _remarks(payload, flags, desk)
    parts.append(_facts(payload, label, desk))
    parts.append("-- \n" + phrase(desk.language, footer, office=one_line(desk.name)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _remarks(payload: Mapping[str, Json], flags: Sequence[str], desk: Desk) -> list[str]:
    remarks, language = [], desk.language
    if "completed" in flags:
        remarks.append(phrase(language, "completed"))
    elif "incomplete" in flags or payload.get("missing"):
        missing = payload.get("missing")
        gone = ", ".join(str(n) for n in missing if isinstance(n, int)) if isinstance(missing, list) else ""
        have, total = _whole(payload, "parts"), _whole(payload, "parts_total")
        remarks.append(phrase(language, "incomplete", have=have, total=total, missing=gone or "?"))
    if _text(payload, "replaces"):
        remarks.append(phrase(language, "replaces", at=local_time(_text(payload, "replaces"), desk)))
    remarks += [phrase(language, one_line(flag)) for flag in flags if flag not in TOLD_ELSEWHERE]
    return [f"* {remark}" for remark in remarks]


def _facts(payload: Mapping[str, Json], label: str, desk: Desk) -> str:
    """Who, to which line, when: a line each."""
    language = desk.language
    name, number = one_line(_text(payload, "sender_name")), one_line(_text(payload, "sender"))
    sender = f"{name} ({number})" if name and number else name or number or phrase(language, "unknown-sender")
    rows = [("sender", sender), ("line", label)]
    for what, key in (("sent", "sent_at"), ("received", "received_at")):
        at = payload.get(key)
        if isinstance(at, str) and at:
            rows.append((what, local_time(at, desk)))
    return "\n".join(f"{phrase(language, what)}: {value}" for what, value in rows)


def _notice(mail: EmailMessage, payload: Mapping[str, Json], item: OutboxItem, desk: Desk) -> None:
    sentence = say(NOTICES, _text(payload, "message"), _facts_of(payload), desk.translate)
    office = one_line(desk.name)
    mail["Subject"] = one_line(phrase(desk.language, "notice", office=office, sentence=sentence), 160)
    foot = phrase(desk.language, "notice-foot", office=office, at=local_time(item.created_at, desk))
    mail.set_content(f"{body_text(sentence)}\n\n-- \n{foot}\n", charset="utf-8")


def _heartbeat(mail: EmailMessage, payload: Mapping[str, Json], item: OutboxItem, desk: Desk) -> None:
    """The proof of the way: our mailbox finds it by its header, a person by its subject."""
    label = one_line(_text(payload, "line_label")) or one_line(_text(payload, "line"))
    mail["X-Centralka-Heartbeat"] = one_line(_text(payload, "token"))
    mail["Subject"] = phrase(desk.language, "heartbeat", office=one_line(desk.name), line=label)
    mail.set_content(phrase(desk.language, "heartbeat-body", line=label) + "\n", charset="utf-8")


def _about_answer(mail: EmailMessage, payload: Mapping[str, Json], item: OutboxItem, desk: Desk) -> None:
    """To somebody who answered: why no SMS went out, in the thread of the answer."""
    references = [_message_id(one) for one in _texts(payload.get("references"))]
    if references:
        mail["In-Reply-To"] = references[-1]
        mail["References"] = " ".join(references)
    sentence = say(ERRORS, _text(payload, "error"), _facts_of(payload), desk.translate)
    mail["Subject"] = one_line("Re: " + _text(payload, "subject"), 160)
    body = phrase(desk.language, "answer-lost", number=one_line(_text(payload, "number")) or "?", why=sentence)
    mail.set_content(f"{body}\n\n> {one_line(_text(payload, 'text'), 200)}\n", charset="utf-8")


def voicemail_words(name: str, payload: Mapping[str, Json], desk: Desk) -> str:
    """A sentence about a message of a mailbox: `name` is an id of `phrases`."""
    sender = one_line(_text(payload, "sender_name")) or one_line(_text(payload, "sender"))
    seconds = payload.get("seconds")
    length = f"{seconds // 60}:{seconds % 60:02}" if isinstance(seconds, int) else "?"
    return phrase(
        desk.language, name, mailbox=one_line(_text(payload, "mailbox")), length=length,
        sender=sender or phrase(desk.language, "unknown-sender"),
    )  # fmt: skip


def _voicemail(mail: EmailMessage, payload: Mapping[str, Json], item: OutboxItem, desk: Desk) -> None:
    """A message that was left: the sound is attached where the mail leaves."""
    mail["Subject"] = one_line(voicemail_words("voicemail-subject", payload, desk), 160)
    label = one_line(_text(payload, "line_label")) or one_line(_text(payload, "line"))
    body = f"{voicemail_words('voicemail-body', payload, desk)}\n\n{_facts(payload, label, desk)}"
    foot = phrase(desk.language, "notice-foot", office=one_line(desk.name), at=local_time(item.created_at, desk))
    mail.set_content(f"{body}\n\n-- \n{foot}\n", charset="utf-8")


def _facts_of(payload: Mapping[str, Json]) -> dict[str, str]:
    given = payload.get("args")
    return {k: one_line(str(v), 300) for k, v in given.items()} if isinstance(given, dict) else {}


_KINDS: Mapping[str, Callable[[EmailMessage, Mapping[str, Json], OutboxItem, Desk], None]] = {
    "sms": _sms,
    "notice": _notice,
    "heartbeat": _heartbeat,
    "answer": _about_answer,
    "voicemail": _voicemail,
}


def local_time(text: str, desk: Desk) -> str:
    """A stamp as wall time of the office, with the zone's letters; what is no time is shown as it is."""
    try:
        at = moment(text).astimezone(desk.zone)
    except (ValueError, OverflowError):
        return one_line(text)
    month = MONTHS[at.month - 1] if desk.language not in ("pl", "uk", "es", "ro") else f"{at.month:02}"
    day = f"{at.day:02}" if month.isdecimal() else str(at.day)
    written = phrase(desk.language, "date", day=day, month=month, year=str(at.year), time=f"{at:%H:%M:%S}")
    return f"{written} {at.tzname() or ''}".rstrip()


def _hex(pdus: Json) -> str:
    """The octets as they came, in lines of 64 digits, one empty line between parts."""
    blocks = []
    for pdu in _texts(pdus)[:MOST_PDUS]:
        digits = re.sub(r"[^0-9A-Fa-f]", "", pdu[:LONGEST_PDU]).upper()
        blocks.append("\n".join(digits[i : i + 64] for i in range(0, len(digits), 64)))
    return "\n\n".join(blocks)


def _message_id(text: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "", text)[:250]


def _date(text: str, zone: ZoneInfo) -> datetime:
    """When the mail was queued, by the plan's clock."""
    return moment(text).astimezone(zone)


def _text(payload: Mapping[str, Json], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _whole(payload: Mapping[str, Json], name: str) -> str:
    value = payload.get(name)
    return str(value) if isinstance(value, int) else "?"


def _texts(value: Json) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _addresses(value: Json) -> list[str]:
    return [one for one in _texts(value) if re.fullmatch(r"[!#-+\-./0-9:=?-~]{3,320}", one)]
