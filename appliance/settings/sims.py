"""From a line's settings to what is decided about its SIM: its credit and the network's forwarding. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.core.credit import VOUCHER, Guard, minor, vouchers_in
from appliance.core.forwarding import Wish
from appliance.settings.fields import Value
from appliance.settings.secret import Secret

HOOK = "@topup:"  # and the line's id: the name of its web address among those that are called


@dataclass(frozen=True, slots=True)
class Balance:
    """How a line's balance is read: the code ("" for not by code), the pattern, the sender of messages with it."""

    code: str = ""
    pattern: str = ""
    currency: str = ""
    sender: str = ""


def balance_of(item: Mapping[str, Value]) -> Balance:
    """From an item of the section `lines`."""
    names = ("balance_code", "balance_pattern", "currency", "balance_sender")
    return Balance(*(str(item.get(name) or "") for name in names))


def guard_of(item: Mapping[str, Value]) -> Guard:
    """From an item of the section `lines`; its vouchers are in the clear."""
    vouchers = item.get("vouchers")
    return Guard(
        low=_minor(item, "balance_low", 300),
        renewal_cost=_minor(item, "renewal_cost", 0),
        renewal_day=_whole(item, "renewal_day", 0),
        topup=str(item.get("topup") or "none"),
        code=str(item.get("topup_code") or ""),
        vouchers=vouchers_in(vouchers.reveal()) if isinstance(vouchers, Secret) else (),
        daily=_whole(item, "topup_daily", 1),
    )


def wish_of(item: Mapping[str, Value]) -> Wish:
    """From an item of the section `lines`."""
    return Wish(
        number=str(item.get("backup_number") or ""),
        unreachable=bool(item.get("forward_unreachable", True)),
        busy=bool(item.get("forward_busy")),
        no_answer=bool(item.get("forward_no_answer")),
        seconds=_whole(item, "forward_seconds", 20),
        all=bool(item.get("forward_all")),
    )


def topup_hooks(items: Sequence[Mapping[str, Value]]) -> dict[str, tuple[str, str, Secret]]:
    """The web addresses that top lines up, by the name under which the exchange asks for them: the line's label, the
    address, and the secret of its signature."""
    found: dict[str, tuple[str, str, Secret]] = {}
    for item in items:
        if item.get("topup") == "webhook" and item.get("topup_url"):
            secret = item.get("topup_secret")
            sealed = secret if isinstance(secret, Secret) else Secret("")
            found[f"{HOOK}{item['id']}"] = (str(item.get("label") or ""), str(item["topup_url"]), sealed)
    return found


def sim_faults(item: Mapping[str, Value]) -> list[str]:
    """Fields that are needed for the chosen top-up and are empty."""
    topup, code = item.get("topup"), str(item.get("topup_code") or "")
    missing = {
        "topup_code": (topup == "ussd" and not code) or (topup == "voucher" and VOUCHER not in code),
        "vouchers": topup == "voucher" and not item.get("vouchers"),
        "topup_url": topup == "webhook" and not item.get("topup_url"),
    }
    return [name for name, wrong in missing.items() if wrong]


def _minor(item: Mapping[str, Value], name: str, otherwise: int) -> int:
    amount = minor(str(item.get(name) or ""))
    return otherwise if amount is None else amount


def _whole(item: Mapping[str, Value], name: str, otherwise: int) -> int:
    text = str(item.get(name, otherwise))
    return int(text) if text.isdecimal() and len(text) < 6 else otherwise
