"""Sentences about recordings, mailboxes and listening by phone, parts of the tables of `words`."""

from typing import Final

from appliance.words.mark import N_

NOTICES: Final = {
    "recording-no-room": N_(
        "Less than {percent} % of the disk are free: calls are not recorded and mailboxes take no messages. "
        "Calls themselves go on. Delete old recordings, or let them be kept for fewer days."
    ),
    "recording-failed": N_("A recording on {line} could not be written. The call itself went on. Check the disk."),
    "recording-not-small": N_(
        "The recording {path} could not be made small. It plays all the same, but takes more space."
    ),
    "recording-mended": N_("The power or the exchange went away: {count} recordings end where it happened."),
    "voicemail-new": N_("{mailbox}: {caller} left a message of {seconds} s."),
}

PROMPTS: Final = {
    "listen-new": N_("New messages"),
    "listen-old": N_("Old messages"),
    "listen-none": N_("No messages"),
    "listen-menu": N_("Keys while listening"),
    "listen-last": N_("There are no more messages"),
    "listen-deleted": N_("The message was deleted"),
    "listen-saved": N_("The message is kept"),
    "listen-locked": N_("Listening by phone is locked"),
    "listen-box": N_("Please type the number of the mailbox"),
    "listen-goodbye": N_("Goodbye"),
}

ERRORS: Final = {
    "no-such-recording": N_("This recording is not there any more. Load the page again."),
}
