"""Sentences for ids: one English sentence per id, with named facts; gettext translates the sentence.

Everything a person may read that is decided below the page lives here, so that journal rows, traces and errors keep
ids and facts only and every reader gets their own language. Rules of writing: what happened, what it means for your
calls, what to do; plain words; whole sentences.
"""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.words import calling
from appliance.words.mark import N_
from appliance.words.trace import OUTCOMES, TRACE

__all__ = ["OUTCOMES", "TRACE"]


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
    "emergency-only": N_("Emergency calls only"),
    "no-answer": N_("The modem does not answer"),
    "port-busy": N_("Another program uses the modem's port"),
    "other-modem": N_("Another modem is at its port"),
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
    "sms-not-sent": N_("A message to {number} was not sent. Messages say why."),
    "phone-ban": N_("Wrong passwords from {source}: it is shut out for {minutes} minutes."),
    "settings-saved": N_("{who} saved {section}."),
    "line-taken": N_(
        "Another program holds the port of the modem of {line}, most often ModemManager. Switch it off on the box:"
        " sudo systemctl disable --now ModemManager"
    ),
    "sim-changed": N_("Another SIM card is in {line}: {iccid}. Check its number and PIN in the settings of the line."),
    "modem-changed": N_("{line} works with another modem now, IMEI {imei}."),
    "modem-given-up": N_("The modem of {line} fails again and again. Check its power supply and its cable."),
    "modem-back": N_("The modem of {line} works again."),
    "slot-stuck": N_(
        "A message on the SIM of {line} cannot be deleted (place {slot}). It is kept here; its place is lost."
    ),
    "no-voice": N_(
        "The network of {line} carries no voice for this modem. VoLTE is off, or the modem does not know it."
    ),
    "speech-refused": N_(
        "The modem of {line} gives no speech: the call was silent. Its voice is locked, or its firmware has none."
    ),
    "roaming": N_("{line} is in a foreign network: calls and messages can cost more."),
    "storage-filling": N_("The message store of {line} is nearly full. We are emptying it."),
    "clock-differs": N_("The network of {line} says it is {network}, the box says {box}."),
    "credit-low": N_("{line} has {amount} left and should have {needed}. An empty SIM makes no calls. Top it up."),
    "credit-unknown": N_("The balance of {line} could not be understood. The operator said: {said}"),
    "topup-limit": N_("{line} is low and was not topped up: the limit of the day is reached."),
    "topup-no-vouchers": N_("{line} is low and was not topped up: no voucher is left."),
    "topup-done": N_("{line} was topped up. The operator said: {said}"),
    "topup-asked": N_("{line} is low: the web address that tops it up is called."),
    "topup-failed": N_("{line} is low and could not be topped up ({reason}). Do it by hand, or look at its settings."),
    "network-said": N_("The operator of {line} says: {said}"),
    "forwarding-set": N_("The network sends callers of {line} to {number} when the box cannot take them."),
    "forwarding-gone": N_("The network sends no callers of {line} elsewhere any more."),
    "forwarding-restored": N_("The backup number {number} of {line} was lost in the network and was set again."),
    "forwarding-refused": N_(
        "The network does not send callers of {line} to {number}. While the box is off they reach nobody."
    ),
    "forwarding-unknown": N_("The network does not say whether callers of {line} are sent to {number}."),
    "hook-dead": N_("A message could not be handed to the web address of rule “{rule}”: {said}."),
    "forward-dead": N_("A message could not be sent on to {number}: {said}."),
    "sms-cap": N_("More than {most} messages an hour were to be sent by rules and mail. The rest waits: {count}."),
    "mailbox-down": N_("The mailbox for answers cannot be read: {said}. Answers wait there."),
    "reply-refused": N_("An answer by mail from {sender} was not sent as SMS: {said}"),
    "heartbeat-lost": N_("The heartbeat of {line} did not arrive in 30 minutes. Messages may be lost on their way."),
    "heartbeat-back": N_("The heartbeat of {line} arrives again."),
    "numbers-stopped": N_(
        "The last calls on {line} came without a number, though numbers arrived before. Blocks and the list of calls "
        "cannot tell who calls. Ask the operator whether caller identification (CLIP) is on for this SIM."
    ),
    "numbers-back": N_("Calls on {line} show numbers again."),
    "network-ends": N_(
        "{line} is in the {network} network, which your operator switches off on {day}. Then it takes no calls and no "
        "messages. Get a modem and a SIM that make calls over 4G (VoLTE) before."
    ),
    "network-ended": N_(
        "{line} is in the {network} network, which is switched off since {day} by what you entered. Get a modem and a "
        "SIM that make calls over 4G (VoLTE)."
    ),
    **calling.NOTICES,
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
    "mailbox": N_("Greeting of mailboxes"),
    "message-kept": N_("The message was kept"),
    "press-1": N_("Press 1 to take the call"),
    "transfer-to": N_("Dial the number of the transfer"),
    "recorded": N_("This call is recorded"),
    "recording-on": N_("Recording is on"),
    "recording-off": N_("Recording has ended"),
    "parked-on": N_("The call is parked on"),
    "nothing-to-pick-up": N_("No call to take"),
    "queue-place": N_("Your place in the queue"),
    "queue-wait": N_("The expected wait"),
    "queue-minutes": N_("Thank you for waiting"),
    "queue-call-back": N_("Press 1 to be called back"),
    "call-back-kept": N_("You will be called back"),
    "wrong-key": N_("This is not a choice"),
    "dnd-on": N_("Do not disturb is on"),
    "dnd-off": N_("Do not disturb is off"),
    "signed-in": N_("You are signed in"),
    "signed-out": N_("You are signed out"),
    "forward-on": N_("Calls are sent on"),
    "forward-off": N_("Calls are not sent on"),
    "block-added": N_("The number is blocked"),
    "voicedrop": N_("Message for answering machines"),
    "room-joined": N_("You are in the conference"),
    **calling.PROMPTS,
}

SMS_STATES: Final = {
    "queued": N_("Waits to be sent"),
    "sending": N_("Being sent"),
    "sent": N_("Sent"),
    "delivered": N_("Delivered"),
    "failed": N_("Not sent"),
    "uncertain": N_("Perhaps sent"),
}

SENDING: Final = {
    "sms-line-may-not": N_("{line} may not send messages. Its settings say so."),
    "sms-no-line": N_("There is no line that may send messages."),
    "sms-not-a-number": N_("Messages go to phone numbers only."),
    "sms-emergency": N_("Emergency numbers get no messages. Call them."),
    "sms-own-number": N_("This is a number of our own: an automatic message to it would go round for ever."),
    "sms-premium": N_("{line} may not send to short and premium numbers. Its settings can allow it."),
    "sms-empty": N_("There is no text."),
    "sms-too-long": N_("The text is too long for messages. Make it shorter."),
    "sms-queue-full": N_("Too many messages wait already."),
    "sms-line-down": N_("The line is not in service; it goes as soon as it is."),
    "sms-in-call": N_("The line is in a call; it goes after it."),
    "sms-gap": N_("It goes in a few seconds."),
    "sms-hour-cap": N_("As many messages went this hour as the line may send. It goes later."),
    "sms-day-cap": N_("As many messages went today as the line may send. It goes later."),
    "sms-too-late": N_("It waited too long and was not sent."),
    "sms-cancelled": N_("Taken back before it was sent."),
    "sms-no-answer": N_("The modem did not take it."),
    "sms-no-result": N_("The network gave no result: it may have arrived. It is not sent twice by itself."),
    "sms-unknown-number": N_("The network knows no such number."),
    "sms-barred": N_("The network does not let this SIM send there."),
    "sms-rejected": N_("The other side does not take it."),
    "sms-unreachable": N_("The other side cannot be reached."),
    "sms-network": N_("The network could not take it."),
    "sms-not-understood": N_("The network did not understand it."),
    "sms-sim": N_("The SIM is not ready."),
    "sms-modem-busy": N_("The modem was not ready."),
    "sms-no-centre": N_("The SIM knows no message centre. Ask your operator for its number."),
    "sms-modem": N_("The modem could not send it."),
    "sms-not-delivered": N_("The network gave up: it did not arrive."),
    "sms-not-waiting": N_("It does not wait any more: it is on its way or was sent."),
    "sms-not-failed": N_("Only what was not sent can be sent again."),
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
    "not-an-imei": N_("An IMEI has 14 to 17 digits."),
    "not-a-socket": N_("Write hub and socket as uhubctl shows them, for example 1-1:2."),
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
    "unknown-menu": N_("There is no menu {menu}."),
    "unknown-mailbox": N_("There is no mailbox {mailbox}."),
    "unknown-scheme": N_("There is no scheme {scheme}."),
    "not-a-key": N_("A key is a digit, * or #."),
    "branch-empty": N_("This branch has no block: its callers would reach nobody. Add one."),
    "branch-without-hours": N_("This branch has no hours: it would never take a call. Give it some, or all week."),
    "block-empty": N_("This block has nobody to ring. Add somebody, or remove the block."),
    "stands-alone": N_("A menu, a mailbox or an announcement answers the caller: it stands alone in its block."),
    "goes-round": N_("A caller who presses nothing would come back here for ever. Choose another way out."),
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
    "not-connected": N_("No phone of {extension} is connected, so nothing was called. Connect it, then try again."),
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
    "bad-message": N_("This message cannot be sent."),
    "bad-recipient": N_("This is no number for a message: digits, * and #, with + in front, at most 20."),
    "message-too-long": N_("The text is too long: more than 255 parts."),
    "bad-validity": N_("The network can try for 5 minutes to 63 weeks."),
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
    "not-a-url": N_("Write a web address such as https://example.com/hook."),
    "hook-no-rule": N_("The rule is not there any more."),
    "hook-address": N_("This address cannot be called: {said}"),
    "hook-refused": N_("The receiver refused it: {said}"),
    "hook-slow": N_("The receiver did not answer in time."),
    "hook-no-server": N_("The receiver cannot be reached: {said}"),
    "hook-certificate": N_("The receiver's certificate cannot be trusted: {said}"),
    "forward-cap": N_("The limit of messages an hour is reached."),
    "forward-refused": N_("The exchange did not take it: {said}"),
    "mailbox-sign-in": N_("The mailbox refused user or password: {said}"),
    "mailbox-no-server": N_("The mailbox cannot be reached: {said}"),
    "answer-token": N_("It belongs to no message of this box, or that message was deleted."),
    "answer-sender": N_("Your address may not answer. The settings of the box say who may."),
    "answer-empty": N_("There is no text above the quoted mail."),
    "answer-too-long": N_("It is too long: at most {most} parts."),
    "answer-number": N_("The sender showed no number that could be answered."),
    "mailbox-folder": N_("The mailbox has no such folder: {said}"),
    **SENDING,
    **calling.ERRORS,
    "not-an-amount": N_("Write an amount such as 3.00."),
    "not-a-regex": N_("This is no regular expression."),
    "slow-regex": N_("On some texts this expression would take for ever. Make it simpler."),
    "not-a-code": N_("A code has only the signs * and # and digits."),
    "not-a-web-address": N_("Write the whole address, beginning with https:// or http://."),
    "line-not-up": N_("The line has no network now. Try again when it works."),
    "line-in-call": N_("The line is in a call. Try again when it has ended."),
    "no-balance-code": N_("No code for the balance is set."),
    "ussd-busy": N_("The line is asking the network something already. Try again in a minute."),
    "ussd-no-menu": N_("The network does not wait for an answer any more. Send the code again."),
    "ussd-lost": N_("The modem went away before the network answered."),
    "ussd-no-answer": N_("The network did not answer the code. On LTE alone many operators take no codes."),
    "ussd-cancelled": N_("The code was given up."),
    "ussd-refused": N_("The modem refused the code: {said}"),
    "ussd-unsupported": N_("The operator does not know this code."),
    "ussd-no-network": N_("The network did not answer in time. Try again."),
    "ussd-ended": N_("The network ended it without a word."),
    "forwarding-unknown": N_("The network does not tell what it forwards: {said}"),
}
