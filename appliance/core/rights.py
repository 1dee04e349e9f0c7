"""May this be called? One answer for every way out: dialled, transferred, forwarded, chosen in a menu. Pure.

Emergency numbers never come here. The order: help lines, the person's right, the country, the night, the person's caps.
What a line may still spend is asked where lines are chosen (`calling_out`).
"""

from datetime import datetime, timedelta

from appliance.core.caps import NOTHING, is_night, left, rate_for
from appliance.core.model import Number, Outcome, Presence, TraceStep
from appliance.core.numbers import dial_class, display, region
from appliance.core.plan import Line, Person, Plan

PIN_LIFTS = frozenset({"may-not-dial", "country-closed", "night-lock"})  # what a person's PIN lets through
PIN_REST = timedelta(minutes=15)  # after three wrong PINs none is asked for
COSTLY = frozenset({"abroad", "premium"})
ABROAD = {"US": "011"}  # what is dialled in front of calls abroad, where it is not 00
PROMPTS = {
    "code-not-out": "unknown-number",
    "may-not-dial": "not-allowed", "country-closed": "country-closed", "night-lock": "locked-now",
    "person-cap": "cap-reached",
}  # fmt: skip


def may_call(number: Number, person: Person | None, plan: Plan, now: datetime, state: Presence) -> TraceStep:
    """STOPPED with the reason, or PASSED.

    `person`: who dials, transfers or has his calls forwarded; None where a setting of the office sends the call (a
    line's number, a menu): then no right and no night lock is asked, but premium numbers are never called. Codes with
    * and # never leave: a modem would take "**21*number#" as an order to send all callers there (3GPP TS 22.030 6.5.2).
    """
    if number.text in plan.help_numbers:
        return TraceStep("help-number", Outcome.PASSED, {"number": number.text})
    if set(number.text) - set("+0123456789"):
        return TraceStep("code-not-out", Outcome.STOPPED, {"number": number.text}, "")
    kind = dial_class(number, plan.country)
    name = person.name if person else ""
    facts = {"name": name, "class": kind, "number": display(number)}
    for refusal in (_right(kind, person), _country(number, plan, now), _night(kind, person, plan, now, state)):
        if refusal:
            rule, link, more = refusal
            return TraceStep(rule, Outcome.STOPPED, {**facts, **more}, link)
    if person and seconds_of(person, plan, now, state, number) <= 0:
        return TraceStep("person-cap", Outcome.STOPPED, facts, "/outgoing/caps")
    return TraceStep("may-dial" if person else "may-send-on", Outcome.PASSED, facts, "/people" if person else "")


Refusal = tuple[str, str, dict[str, str]] | None


def _right(kind: str, person: Person | None) -> Refusal:
    allowed = kind in person.may_dial if person else kind != "premium"
    return None if allowed else ("may-not-dial", "/people", {})


def _country(number: Number, plan: Plan, now: datetime) -> Refusal:
    """Only the office's own country is open, and those that were added, some of them until a moment. Digits that begin
    as a call abroad and fit no plan we know go to no country that is open."""
    where = region(number)
    abroad = number.text.startswith(("+", ABROAD.get(plan.country, "00")))
    if abroad and not country_open(where, plan, now):
        return "country-closed", "/outgoing/countries", {"country": where}
    return None


def country_open(where: str, plan: Plan, now: datetime) -> bool:
    """Whether numbers of that country (ISO alpha-2) may be called."""
    if where == plan.country:
        return True
    until = plan.calling.countries.get(where, now)
    return until is None or now < until


def _night(kind: str, person: Person | None, plan: Plan, now: datetime, state: Presence) -> Refusal:
    if person is None or kind in plan.calling.night_classes or not night_now(plan, now, state):
        return None
    return "night-lock", "/outgoing/caps", {}


def night_now(plan: Plan, now: datetime, state: Presence) -> bool:
    """Whether the lower caps and the lock of the night hold."""
    return is_night(plan.calling.night, now.astimezone(plan.zone), state.overrides.get("night", ""))


def seconds_of(person: Person, plan: Plan, now: datetime, state: Presence, number: Number | None = None) -> float:
    """Seconds that this person may still talk outside; `inf` without a cap. Money counts where the call has a price:
    the cheapest line decides here, each of them where lines are chosen."""
    spent = state.spent.get(f"person/{person.extension}", NOTHING)
    cap, night = person.cap.over(plan.calling.person_cap), night_now(plan, now, state)
    rates = [rate_for(number.text, line.rates) for line in plan.lines.values()] if number else []
    return max(left(cap, spent, night, rate) for rate in rates or [None])


def may_use(line: Line, extension: str, plan: Plan) -> bool:
    """Whether this person makes and takes calls on the line (F82)."""
    if line.users is not None:
        return extension in line.users
    person = plan.people.get(extension)
    return person is None or person.all_lines


def pin_resting(extension: str, now: datetime, state: Presence) -> bool:
    """Three wrong PINs were typed a short while ago."""
    since = state.overrides.get(f"pin-wrong/{extension}", "")
    try:
        return bool(since) and now < datetime.fromisoformat(since) + PIN_REST
    except (ValueError, TypeError):
        return False
