"""Sentences about calling out, parts of the tables of `words`: reasons, notices, announcements, faults of settings."""

from typing import Final

from appliance.words.mark import N_

TRACE: Final = {
    "rewritten": N_("By the rule, {number} becomes {changed}."),
    "country-closed": N_("Refused: calls to the country {country} are closed."),
    "talk-limited": N_("On {line} it may last {minutes} min: then a cap is reached, or the credit ends."),
    "code-not-out": N_("Refused: {number} is no number and no code of the box. Codes are never sent to the network."),
    "night-lock": N_("Refused: {name} may not call {number} at night."),
    "person-cap": N_("Refused: {name} has reached a cap of calls out."),
    "may-send-on": N_("The call may be sent on to {number}."),
    "pin-asked": N_("{name} may call it with the PIN."),
    "pin-resting": N_("No PIN is asked for: {name} typed three wrong ones a short while ago."),
    "line-not-out": N_("{line} is not for calling out."),
    "line-not-yours": N_("{line} is for other colleagues."),
    "line-cap": N_("{line}: a cap of calls out is reached."),
    "line-no-credit": N_("{line} has not enough credit for this call."),
    "credit-unknown": N_("{line}: its credit is not known, so nothing costly is called on it."),
    "too-many-a-minute": N_("Refused: {extension} made {most} calls out within a minute, the most one phone may."),
}

PROMPTS: Final = {
    "country-closed": N_("Calls to this country are closed"),
    "locked-now": N_("This may not be called at night"),
    "cap-reached": N_("The cap of calls out is reached"),
    "minute-left": N_("One minute is left"),
    "enter-pin": N_("Please type your PIN"),
    "wrong-pin": N_("The PIN was wrong"),
}

NOTICES: Final = {
    "emergency-call": N_("{who} called the emergency number {number}."),
    "cap-warn": N_("{who}: {percent} % of a cap of calls out are used ({period}). At 100 % calls out are refused."),
    "cap-reached": N_(
        "{who}: a cap of calls out is reached ({period}). Only emergency numbers can be called. See Caps."
    ),
    "phone-flood": N_(
        "{extension} made more than {most} calls out within a minute and was stopped. If nobody did it, "
        "change the password of that phone."
    ),
}

ERRORS: Final = {
    "not-a-country": N_("There is no country of that code."),
    "not-a-mask": N_("A mask begins with + and has # for a digit, such as +48 ## ### ## ##."),
    "not-a-pin": N_("A PIN has 4 to 12 digits."),
    "line-not-outgoing": N_("This line is not for calling out."),
    "line-hides-number": N_("This line shows no number: the called party would not know who calls."),
    "line-without-number": N_("Its number is not known. Enter it in the settings of the line first."),
}
