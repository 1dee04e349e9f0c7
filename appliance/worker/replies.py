"""What somebody wrote in an answer, and whether it was somebody at all. Pure; mails are hostile and read totally.

The text is what stands above the quoted mail: lines with ">", the sentence that introduces a quote in the languages of
our mails, the header block of Outlook, and signatures end it. A mail that only has HTML is read without its quotes. The
automatic never makes an SMS: out of office, bounces, lists (RFC 3834 2, RFC 5230, RFC 2369), so that two machines
cannot write to each other.
"""

import email
import hashlib
import re
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr
from enum import Enum
from html.parser import HTMLParser

LONGEST_MAIL = 256 * 1024  # octets; what follows is not read
MOST_LINES = 2000
MOST_PARTS = 10
GSM_PART, WIDE_PART = 153, 67  # letters of one of several parts (3GPP TS 23.040 9.2.3.24.1)
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€\f")

PERSONS: tuple[tuple[str, tuple[str, ...]], ...] = (  # headers, and what they say where a person writes
    ("Auto-Submitted", ("", "no")),
    ("Precedence", ("", "normal", "first-class", "special-delivery")),
    ("X-Autoreply", ("", "no")),
    ("X-Autorespond", ("",)),
    ("X-Auto-Response-From", ("",)),
    ("X-Loop", ("",)),
    ("X-Failed-Recipients", ("",)),
    ("List-Id", ("",)),
    ("List-Unsubscribe", ("",)),
    ("Feedback-ID", ("",)),
)

_WROTE = re.compile(
    r"^\s*(?:on\b.{0,200}\bwrote|am\b.{0,200}\bschrieb.{0,100}|w dniu\b.{0,200}\bnapisał(?:a|\(a\))?.{0,100}|"
    r".{0,200}\bnapisał(?:a|\(a\))?|.{0,200}\b(?:пише|написав|написала|написал|пишет)|.{0,200}\bpisze|el\b.{0,200}\bescribió|"
    r"(?:în|in|pe|la)\b.{0,200}\ba scris|le\b.{0,200}\ba écrit)\s*:\s*$",
    re.IGNORECASE,
)
_HEADER = re.compile(r"^[\s*]*(?:from|od|від|от|de|de la|von|nadawca|expeditor)[*]?:[*]?\s.{0,200}$", re.IGNORECASE)
_NEXT_HEADER = re.compile(
    r"^[\s*]*(?:sent|date|to|subject|wysłano|data|do|temat|надіслано|дата|кому|тема|enviado|fecha|para|asunto|trimis|"
    r"către|subiect|gesendet|datum|an|betreff)[*]?:",
    re.IGNORECASE,
)
_LINE = re.compile(r"^\s*(?:_{10,}|-{2,}\s?\S.{2,60}\S\s?-{2,})\s*$")  # Outlook's rule; "----- Original Message -----"
_SIGNATURE = re.compile(
    r"^(?:-- ?|sent from (?:my|outlook|proton|yahoo)\b.*|get outlook for\b.*|wysłano z\b.*|wysłane z\b.*|"
    r"надіслано з\b.*|відправлено з\b.*|enviado desde\b.*|trimis de pe\b.*|trimis din\b.*|von meinem .* gesendet)$",
    re.IGNORECASE,
)


class Verdict(Enum):
    """What became of a mail: it is dealt with, it waits, or it is none of ours."""

    DONE = "done"
    LATER = "later"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail as far as it matters: `key` names it for ever (its Message-ID, else its hash), `automatic` is why it makes
    no SMS ("" it may), `heartbeat` the token of a mail of ours."""

    key: str
    sender: str
    subject: str
    text: str
    addresses: str
    references: str
    automatic: str = ""
    heartbeat: str = ""


def read(octets: bytes) -> Answer:
    """Any octets as an answer. Never raises."""
    key = f"sha256:{hashlib.sha256(octets).hexdigest()}"
    try:
        mail = email.message_from_bytes(octets[:LONGEST_MAIL], policy=policy.default)
        assert isinstance(mail, EmailMessage)
        return _read(mail, key)
    except Exception:  # noqa: BLE001 - the library raises what it likes for what strangers write
        return Answer(key, "", "", "", "", "", automatic="unreadable")


def _read(mail: EmailMessage, key: str) -> Answer:
    named = _header(mail, "Message-ID").strip()
    key = named[:250] if re.fullmatch(r"<[\x21-\x7e]{3,990}>", named) else key
    sender = parseaddr(_header(mail, "From"))[1].strip().casefold()[:254]
    places = " ".join(_header(mail, name) for name in ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To"))
    references = f"{_header(mail, 'References')} {_header(mail, 'In-Reply-To')}"
    found = re.fullmatch(r"[0-9a-f]{16}", _header(mail, "X-Centralka-Heartbeat").strip())
    return Answer(
        key, sender, " ".join(_header(mail, "Subject").split())[:200], answer_of(mail), places, references,
        automatic(mail), found[0] if found else "",
    )  # fmt: skip


def automatic(mail: EmailMessage) -> str:
    """Which header says that no person wrote this to us; "" when none does."""
    for name, well in PERSONS:
        if _header(mail, name).split(";")[0].strip().casefold() not in well:
            return name
    if "Return-Path" in mail and _header(mail, "Return-Path").strip() in ("", "<>"):
        return "Return-Path"
    if mail.get_content_type() in ("multipart/report", "message/delivery-status"):
        return "Content-Type"
    sender = parseaddr(_header(mail, "From"))[1].partition("@")[0].casefold()
    if not sender or sender in ("mailer-daemon", "postmaster") or re.fullmatch(r"no-?_?\.?reply.*", sender):
        return "From"
    return ""


def answer_of(mail: EmailMessage) -> str:
    """What was written above the quote, without signature."""
    part = mail.get_body(("plain", "html"))
    if part is None:
        return ""
    content = part.get_content()
    if not isinstance(content, str):
        return ""
    if part.get_content_type() == "text/html":
        content = _plain_of(content)
    elif part.get_param("format") == "flowed":
        content = re.sub(r"(?m)^(?!-- $)(.*) \r?\n(?=[^>\s])", r"\1 ", content)  # RFC 3676 4.1
    return above_quote(content)


def above_quote(text: str) -> str:
    """The lines before the quote, its introduction, or a signature."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MOST_LINES]]
    kept: list[str] = []
    for place, line in enumerate(lines):
        after = lines[place + 1] if place + 1 < len(lines) else ""
        folded = f"{line} {after}"  # an introduction is often broken in two
        if line.startswith(">") or _LINE.match(line) or (line.strip() and _SIGNATURE.match(line.strip())):
            break
        if len(line) < 300 and (_WROTE.match(line) or (after and len(folded) < 400 and _broken_intro(line, after))):
            break
        if _HEADER.match(line) and any(_NEXT_HEADER.match(one) for one in lines[place + 1 : place + 4]):
            break
        kept.append(line)
    whole = "\n".join(kept).strip()
    return re.sub(r"\n{3,}", "\n\n", "".join(c for c in whole if c in "\n\t" or c.isprintable() or c == "\u200d"))


def parts_of(text: str) -> int:
    """How many SMS a text needs at least."""
    if all(c in GSM or c in GSM_TWICE for c in text):
        units = sum(2 if c in GSM_TWICE else 1 for c in text)
        return 1 if units <= 160 else -(-units // GSM_PART)
    units = len(text.encode("utf-16-be", "replace")) // 2
    return 1 if units <= 70 else -(-units // WIDE_PART)


def _broken_intro(line: str, after: str) -> bool:
    """ "On Fri, 27 Nov 2026 at 12:00, Box <box@office.test>" and "wrote:" on the next line."""
    begins = re.match(r"\s*(?:on|w dniu|el|în|in|pe|am|le)\b.{5,}", line, re.IGNORECASE) or re.search(
        r"<[^<>\s]+@", line
    )
    return begins is not None and _WROTE.match(f"{line} {after}") is not None and after.rstrip().endswith(":")


def _header(mail: EmailMessage, name: str) -> str:
    """A header as text, all of its occurrences; "" when it cannot be read."""
    try:
        return " ".join(str(value) for value in mail.get_all(name, []))[:20_000]
    except Exception:  # noqa: BLE001 - headers of strangers raise anything
        return ""


class _Stripper(HTMLParser):
    """The text of HTML without quotes, scripts and styles."""

    BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3"})
    DROPPED = frozenset({"blockquote", "style", "script", "head", "title"})
    QUOTES = re.compile(r"gmail_quote|yahoo_quoted|moz-cite-prefix|protonmail_quote|divRplyFwdMsg|appendonsend")
    VOID = frozenset({"br", "hr", "img", "meta", "input", "link", "area", "base", "col", "embed", "source", "wbr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._open: list[bool] = []  # for each open tag, whether it hides what is in it
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marks = " ".join(value or "" for name, value in attrs if name in ("class", "id"))
        if self.QUOTES.search(marks) or (tag == "hr" and "stopSpelling" in str(attrs)):
            self._over = True  # what follows is the mail that is answered
        if tag in self.BREAKS:
            self.pieces.append("\n")
        if tag not in self.VOID and len(self._open) < 1000:
            self._open.append(tag in self.DROPPED)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self._open:
            self._open.pop()
        if tag in ("p", "div"):
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._over and not any(self._open):
            self.pieces.append(re.sub(r"\s+", " ", data))


def _plain_of(html: str) -> str:
    stripper = _Stripper()
    stripper.feed(html)
    lines = (line.strip() for line in "".join(stripper.pieces).split("\n"))
    return re.sub(r"\n{2,}", "\n", "\n".join(lines))
