"""Sentences for ids: one English sentence per id, with named facts; gettext translates the sentence.

Everything a person may read that is decided below the page lives here, so that journal rows, traces and errors keep
ids and facts only and every reader gets their own language. Rules of writing: what happened, what it means for your
calls, what to do; plain words; whole sentences.
"""

from collections.abc import Callable, Mapping
from typing import Final


def N_(sentence: str) -> str:  # noqa: N802 - the mark that extraction tools look for
    """Marks a sentence for translation and gives it back."""
    return sentence


def say(
    table: Mapping[str, str],
    sentence_id: str,
    args: Mapping[str, object],
    translate: Callable[[str], str] = lambda sentence: sentence,
) -> str:
    """The sentence of an id with its facts filled in; an id without a sentence is shown as it is. Never raises."""
    if sentence_id not in table:
        return sentence_id
    return translate(table[sentence_id]).format_map(_Facts({key: str(value) for key, value in args.items()}))


class _Facts(dict[str, str]):
    """A fact that is missing leaves its name in the sentence."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


TRACE: Final = {
    "came-in": N_("{caller} calls on {line}."),
    "allow-list": N_("On the allow list ({pattern}): no block applies."),
    "block-list": N_("Refused: blocklist ({pattern})."),
    "block-list-after-hours": N_("Refused: blocklist, outside hours ({pattern})."),
    "line-withheld": N_("Refused: {line} takes no callers who hide their number."),
    "line-unavailable": N_("Refused: {line} takes no callers whose number did not arrive."),
    "not-blocked": N_("No block applies."),
    "let-through": N_("Let through by the status button, past blocks and hours."),
    "summoned": N_("The status button was pressed: {extension} rings to hear the address of the box."),
    "too-many-calls": N_("Refused: {extension} has {most} calls already, the most one phone may have."),
    "too-fast": N_("Refused: {extension} makes new calls faster than one phone may."),
    "night-on": N_("Closed: the night switch is on."),
    "night-off": N_("Open: switched by hand, whatever the hours say."),
    "open-always": N_("Open around the clock, until {until}."),
    "open-always-for-good": N_("Open around the clock."),
    "open-hours": N_("Open by its hours until {until}."),
    "open-hours-for-good": N_("Open by its hours."),
    "closed-hours": N_("Closed by its hours until {until}."),
    "closed-hours-for-good": N_("Closed by its hours."),
    "closed-holiday": N_("Closed day {name}, until {until}."),
    "closed-holiday-for-good": N_("Closed day {name}."),
    "closed-never-for-good": N_("No hours are set: always closed."),
    "then-announce": N_("The caller hears the announcement."),
    "then-busy": N_("The caller gets busy."),
    "then-reject": N_("The call is refused."),
    "group-empty": N_("Nobody is set to ring for {line}."),
    "phone-offline": N_("The phone of {extension} is not connected."),
    "phone-busy": N_("{extension} is in a call."),
    "nobody-there": N_("Nobody of {group} can be rung."),
    "group-rings": N_("{group} rings: {who}, for {seconds} s."),
    "nobody-announce": N_("If nobody answers, the caller hears an announcement."),
    "nobody-busy": N_("If nobody answers, the caller gets busy."),
    "nobody-reject": N_("If nobody answers, the call is refused."),
    "no-such-line": N_("There is no line {line}."),
    "dialled": N_("{extension} dialled {number}."),
    "no-such-person": N_("{extension} may not call: nobody has this extension."),
    "no-such-extension": N_("Nobody has the extension {number}."),
    "emergency": N_("Emergency number {number}: first of all, over {lines}."),
    "feature-code": N_("{code} is a code of the box."),
    "own-extension": N_("{extension} is the caller's own number."),
    "colleague-rings": N_("{extension} {name} rings."),
    "own-number": N_("This is our own number {line}."),
    "help-number": N_("{number} is a help line: everybody may call it."),
    "may-dial": N_("{name} may call {number}."),
    "may-not-dial": N_("{name} may not call {number}."),
    "line-down": N_("{line} is not in service."),
    "line-busy": N_("{line} is in use."),
    "goes-out": N_("{number} goes out on {line}."),
    "no-line": N_("No line is free for this call."),
}

OUTCOMES: Final = {
    "passed": N_("passed"),
    "skipped": N_("skipped"),
    "stopped": N_("stopped"),
    "chosen": N_("chosen"),
}

CAUSES: Final = {
    "normal": N_("Ended normally"),
    "cancelled": N_("The caller hung up first"),
    "elsewhere": N_("Taken on another phone"),
    "busy": N_("Busy"),
    "no-answer": N_("Nobody answered"),
    "rejected": N_("Declined"),
    "unknown-number": N_("No such number"),
    "not-registered": N_("Phone not connected"),
    "unreachable": N_("Not reachable"),
    "congestion": N_("No line free"),
    "not-allowed": N_("Not allowed"),
    "blocked": N_("Refused: blocklist"),
    "closed": N_("Outside hours"),
    "line-lost": N_("The line was lost"),
    "media": N_("No sound arrived"),
    "timeout": N_("No answer from the network"),
    "fault": N_("A fault in the box"),
}

LINE_STATES: Final = {
    "up": N_("Works"),
    "starting": N_("Starting"),
    "searching": N_("Searches for the network"),
    "denied": N_("The network refuses this SIM"),
    "data-only": N_("Messages, but no calls"),
    "no-answer": N_("The modem does not answer"),
    "not-there": N_("The modem is not there"),
    "no-sim": N_("No SIM card"),
    "pin-needed": N_("The SIM wants its PIN"),
    "pin-wrong": N_("The PIN is wrong"),
    "puk-needed": N_("The SIM is locked and wants its PUK"),
    "storage-full": N_("The SIM's message store is full"),
    "off": N_("Switched off"),
}

SELF_TEST: Final = {
    "dialling": N_("The test calls the number."),
    "listening": N_("The test says a tone and listens."),
    "no-speech-port": N_("No speech port is set for this line: calls are silent. Choose one under Modem."),
    "port-refused": N_("The speech port cannot be opened. Is it the right one, and does no other program use it?"),
    "port-lost": N_("The speech port went away within the call. Check cable and power of the modem."),
    "nothing-in": N_("Nothing comes out of the speech port. Voice may be locked in this modem, or it is another port."),
    "only-silence": N_("The speech port works, but there is only silence on it: nobody is heard."),
    "noise": N_("There is only noise on the speech port: it is another port, or another kind of sound."),
    "octets-lost": N_("The speech port loses octets, which is heard as crackling. Use a shorter cable or another hub."),
    "not-heard": N_("We hear the other side, but it does not hear us: the tone did not come back."),
    "crackle": N_("Speech works both ways, but it breaks: {slips} gaps in three seconds."),
    "weak": N_("Speech works both ways, but what comes back is very weak ({level} dB)."),
    "echo": N_("We hear ourselves as an echo ({level} dB, after {delay} ms)."),
    "heard-only-in": N_("We hear the other side. Whether it hears us, only a number that echoes can tell."),
    "good": N_("Speech works both ways. What we say comes back after {delay} ms."),
    "no-call": N_("The test call was not answered."),
}

NOTICES: Final = {
    "line-up": N_("{line} is in service."),
    "line-down": N_("{line} is out of service. Nobody can call on it until it is back."),
    "line-gone": N_("The modem of {line} is not there. Callers cannot reach this number. Check its cable and power."),
    "line-pin": N_("The SIM {line} wants its PIN. Until then calls and messages on this number do not arrive."),
    "mail-down": N_("Mail is not leaving: {said}. {count} messages wait here; nothing is lost."),
    "mail-setup": N_("The mail server does not take us: {said}. Messages wait here; nothing is lost. Check Mail."),
    "mail-dead": N_("{count} mails could not be delivered in five days or were refused. You can send them again."),
    "disk-full": N_("The card of the box is full. Calls work; new messages stay on their SIM until there is room."),
    "settings-damaged": N_("The settings file was damaged. The last good copy is in use. Check your last change."),
    "journal-damaged": N_("The journal cannot be read. Calls work, but they are not written down. Ask for help."),
    "storage-full": N_("The message store of {line} is full: no new messages arrive on it. We are emptying it."),
    "mail-off": N_("Mail is not set up: messages are kept here and nobody is mailed."),
    "no-phone": N_("No phone is connected: callers reach nobody. Connect one under People and phones."),
    "night-on": N_("The night switch was turned on by {by}."),
    "night-off": N_("The box was opened by hand by {by}."),
    "night-auto": N_("The hours decide again, said {by}."),
    "button-blocked": N_("{number} called last and was blocked with the status button."),
    "button-nobody": N_("The status button found nobody to block: the last caller showed no number, or is blocked."),
    "let-next": N_("The next caller is let through, past blocks and hours: the status button said so."),
    "address-no-phone": N_("The address cannot be spoken: no phone is connected and free."),
    "reset-armed": N_("The status button was held for ten seconds: another press within ten seconds resets the box."),
    "reset-done": N_("The box was reset to its first start."),
    "started": N_("The box started."),
    "clock-moved": N_("The demo's clock stands at {at}."),
    "sms-incomplete": N_("A message from {sender} is not complete yet."),
    "sms-undecodable": N_("A message on {line} could not be read and was kept as it is."),
    "phone-ban": N_("Wrong passwords from {source}: it is shut out for {minutes} minutes."),
    "settings-saved": N_("{who} saved {section}."),
}

LAMPS: Final = {
    "power-well": N_("Steady: all well"),
    "power-starting": N_("Slow: starting"),
    "power-done": N_("Double: done"),
    "power-armed": N_("Fast: press again to reset"),
    "power-modem-gone": N_("Code 1: modem gone"),
    "power-sim-pin": N_("Code 2: SIM wants PIN"),
    "power-mail-down": N_("Code 3: mail stuck"),
    "power-disk-full": N_("Code 4: card full"),
    "power-settings-damaged": N_("Code 5: settings"),
    "power-journal-damaged": N_("Code 6: journal"),
    "sim-registered": N_("Steady: registered"),
    "sim-searching": N_("Slow: searching"),
    "sim-data-only": N_("Fast: no calls"),
    "sim-pin": N_("Double: PIN needed"),
    "sim-no-modem": N_("Off: no modem"),
    "line-talking": N_("Steady: in a call"),
    "line-announcement": N_("Steady: announcement"),
    "line-held": N_("Slow: on hold"),
    "line-ringing": N_("Fast: ringing"),
    "line-free": N_("Off: free"),
    "message-unread": N_("Slow: something new"),
    "message-full": N_("Fast: SIM store full"),
    "message-none": N_("Off: nothing new"),
    "night-on": N_("Steady: by hand"),
    "night-hours": N_("Slow: closed by hours"),
    "night-open": N_("Off: open"),
}

BUTTONS: Final = {
    "night-toggle": N_("Night mode on, or back to the hours"),
    "night-auto": N_("The hours decide again"),
    "speak-address": N_("A free phone rings and says the address of the box"),
    "last-caller": N_("Block the last caller, or let the next one through"),
    "reset-arm": N_("Prepare a reset; a second press within 10 seconds does it"),
}

PRESSES: Final = {
    "short": N_("Short press"),
    "long": N_("Held 3 to 10 seconds"),
    "very-long": N_("Held 10 seconds or more"),
}

PROMPTS: Final = {
    "closed": N_("Closed now"),
    "nobody": N_("Nobody can answer"),
    "blocked": N_("Calls from this number are not taken"),
    "night-on": N_("Night mode is on"),
    "night-off": N_("Night mode is off"),
    "not-allowed": N_("This number may not be called"),
    "unknown-number": N_("No such number"),
    "all-busy": N_("All lines are busy"),
    "emergency-failed": N_("The emergency call did not go through"),
    "hold": N_("Music on hold"),
    "address": N_("The address of the box"),
}

ERRORS: Final = {
    "required": N_("This is needed."),
    "not-text": N_("This must be text."),
    "too-long": N_("At most {most} characters."),
    "too-short": N_("At least {least} characters."),
    "not-allowed-characters": N_("Some of these characters cannot be used here."),
    "not-a-number": N_("This must be a whole number."),
    "out-of-range": N_("This must be from {least} to {most}."),
    "not-yes-or-no": N_("This must be yes or no."),
    "not-a-choice": N_("Choose one of the list."),
    "not-a-phone-number": N_("Write the number with its country, such as +48 22 123 45 67."),
    "not-an-email": N_("This is not a mail address."),
    "not-a-host": N_("This is not the name of a server."),
    "not-an-address": N_("This is not an address such as 192.168.1.10."),
    "not-a-time": N_("Write a time as 09:00."),
    "not-a-date": N_("Write a day as 2026-12-25."),
    "not-a-time-zone": N_("This time zone is not known."),
    "not-a-list": N_("This must be a list."),
    "not-a-record": N_("This entry is damaged."),
    "too-many": N_("At most {most} entries."),
    "unknown-setting": N_("There is no such setting."),
    "not-an-id": N_("Small letters, digits and dashes only."),
    "not-a-path": N_("Write the whole path, beginning with /."),
    "not-a-sound-card": N_("Write the name ALSA has for it, such as hw:CARD=Android."),
    "not-an-extension": N_("2 to 5 digits, not beginning with 0."),
    "not-a-pattern": N_("A number, or its beginning with * at the end."),
    "emergency-extension": N_("{number} is an emergency number. Choose another extension."),
    "taken": N_("Somebody or something else has this already."),
    "unknown-extension": N_("Nobody has the extension {extension}."),
    "unknown-group": N_("There is no group {group}."),
    "unknown-line": N_("There is no line {line}."),
    "unknown-prompt": N_("There is no announcement {prompt}."),
    "prompt-in-use": N_("It is in use: {lines}. Choose another announcement there first."),
    "too-few-ports": N_("At least {least} ports are needed."),
    "from-after-to": N_("The first must not be larger than the second."),
    "plain-not-allowed": N_(
        "Without TLS everybody on the way can read your messages. Choose TLS, or say that you know."
    ),
    "invalid-settings": N_("Some fields need another look. Nothing was saved."),
    "settings-changed": N_("Somebody else has changed these settings meanwhile. Look at them and save again."),
    "no-such-section": N_("There are no settings of that name."),
    "no-such-line": N_("There is no line {line}."),
    "line-busy": N_("There is a call on this line now."),
    "line-down": N_("This line is out of service now."),
    "no-speech-in-call": N_("The call on this line has no speech yet."),
    "no-such-call": N_("This call has ended already."),
    "no-such-person": N_("There is nobody of that name."),
    "no-such-entry": N_("This entry is not on the list any more."),
    "no-such-verb": N_("The exchange does not know how to do that."),
    "bad-request": N_("The exchange did not understand the question."),
    "too-long-request": N_("The question was too long."),
    "no-answer-in-time": N_("The exchange did not answer in time. Try again."),
    "fault": N_("Something went wrong in the box. The log says more."),
    "not-virtual": N_("This works on virtual hardware only."),
    "disk-full": N_("There is no room on the card. Nothing was saved; free some space and try again."),
    "journal-error": N_("The journal could not be written. Nothing was saved; try again."),
    "line-error": N_("The line could not do that."),
    "bad-pdu": N_("These octets are not a message."),
    "file-too-big": N_("This file is too big; the limit is 5 MB."),
    "not-a-sound": N_("This is neither a wav nor an mp3 file."),
    "sound-too-long": N_("The recording is too long; the limit is 5 minutes."),
    "no-such-file": N_("The uploaded file is not there any more. Upload it again."),
    "no-such-language": N_("The box does not speak this language."),
    "cannot-speak": N_("This text could not be spoken. The log says more."),
    "worker-down": N_("The worker does not answer. Mail waits; calls work. Try again in a minute."),
    "mail-refused-address": N_("The server refused the address: {said}"),
    "mail-sign-in": N_("The server refused user or password: {said}"),
    "mail-no-tls": N_("The server offers no TLS. Choose another kind of protection or ask your provider."),
    "mail-no-server": N_("The mail server cannot be reached: {said}"),
    "mail-certificate": N_("The server's certificate cannot be trusted: {said}"),
    "mail-password-again": N_("Type the password once more: the saved one is used only with the server it belongs to."),
    "mail-slow": N_("The mail server did not answer in time."),
    "mail-refused": N_("The server refused the mail: {said}"),
}
