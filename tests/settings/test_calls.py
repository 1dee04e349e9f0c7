"""Settings of call handling that cannot work are refused, all of them at once, each at its place."""

from typing import Any

from appliance.settings.planning import build
from appliance.settings.schema import SECTIONS, Settings, check_between, check_section

PERSON = {"id": "p101", "extension": "101", "name": "Anna"}
GROUP = {"id": "office", "name": "Office", "members": ["101"]}
RINGS = {"destinations": [{"to": "group", "ref": "office"}]}


def settings(**items: list[dict[str, Any]]) -> Settings:
    """Clean settings of a small office; what is given stands in place of its own."""
    held = {"people": [PERSON], "groups": [GROUP], **items}
    out: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        doc = {"items": held[name]} if name in held else {"items": []} if section.many else {}
        out[name], faults = check_section(section, doc)
        assert faults == {}, {path: fault.id for path, fault in faults.items()}
    return out


def scheme(*blocks: dict[str, Any], **branch: Any) -> dict[str, Any]:
    return {
        "id": "s",
        "name": "Office",
        "branches": [{"name": "Day", "always": True, "blocks": list(blocks), **branch}],
    }


def faults(**items: list[dict[str, Any]]) -> dict[str, str]:
    return {path: fault.id for path, fault in check_between(settings(**items)).items()}


def test_a_scheme_that_works_has_no_fault() -> None:
    assert faults(schemes=[scheme(RINGS)]) == {}


def test_all_that_is_named_and_not_there_is_told_at_once() -> None:
    gone = [
        {"to": "person", "ref": "999"}, {"to": "group", "ref": "gone"}, {"to": "outside", "ref": "nobody"},
        {"to": "outside", "ref": "+48 600 100 200", "line": "gsm9"}, {"to": "responsible"}, {"to": "person"},
    ]  # fmt: skip
    alone = [{"destinations": [{"to": kind, "ref": "gone"}]} for kind in ("menu", "mailbox", "announcement")]
    one = {**scheme({"destinations": gone}, *alone), "backup_to": "person", "backup_ref": "998"}
    assert faults(schemes=[one]) == {
        "schemes.0.backup_ref": "unknown-extension",
        "schemes.0.branches.0.blocks.0.destinations.0.ref": "unknown-extension",
        "schemes.0.branches.0.blocks.0.destinations.1.ref": "unknown-group",
        "schemes.0.branches.0.blocks.0.destinations.2.ref": "not-a-phone-number",
        "schemes.0.branches.0.blocks.0.destinations.3.line": "unknown-line",
        "schemes.0.branches.0.blocks.0.destinations.5.ref": "required",
        "schemes.0.branches.0.blocks.1.destinations.0.ref": "unknown-menu",
        "schemes.0.branches.0.blocks.2.destinations.0.ref": "unknown-mailbox",
        "schemes.0.branches.0.blocks.3.destinations.0.ref": "unknown-prompt",
    }


def test_a_colleague_who_is_deleted_is_still_missed_by_the_scheme() -> None:
    one = scheme({"destinations": [{"to": "person", "ref": "101"}]})
    assert faults(schemes=[one]) == {}
    gone = faults(schemes=[one], people=[], groups=[])
    assert gone == {"schemes.0.branches.0.blocks.0.destinations.0.ref": "unknown-extension"}


def test_blocks_and_branches_that_reach_nobody_are_refused() -> None:
    assert faults(schemes=[scheme()]) == {"schemes.0.branches.0.blocks": "branch-empty"}
    assert faults(schemes=[scheme({})]) == {"schemes.0.branches.0.blocks.0.destinations": "block-empty"}
    assert faults(schemes=[scheme(RINGS, always=False)]) == {"schemes.0.branches.0.ranges": "branch-without-hours"}


def test_what_answers_the_caller_stands_alone_in_its_block() -> None:
    both = [{"to": "announcement", "ref": "closed"}, {"to": "group", "ref": "office"}]
    wrong = faults(schemes=[scheme({"destinations": both})])
    assert wrong == {"schemes.0.branches.0.blocks.0.destinations.0.to": "stands-alone"}


def test_a_block_has_ten_destinations_at_most_and_gives_up_after_5_to_600_seconds() -> None:
    many = scheme({"destinations": [{"to": "group", "ref": "office"}] * 11})
    short, long = scheme({**RINGS, "seconds": 4}), scheme({**RINGS, "seconds": 601})
    for one, fault in ((many, "too-many"), (short, "out-of-range"), (long, "out-of-range")):
        _clean, wrong = check_section(SECTIONS["schemes"], {"items": [one]})
        assert {f.id for f in wrong.values()} == {fault}
    assert faults(schemes=[scheme({**RINGS, "seconds": 5}, {**RINGS, "seconds": 600})]) == {}


def menu(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "prompt": "closed", **more}


def test_a_menu_that_comes_back_to_itself_without_a_key_is_refused_a_key_back_is_not() -> None:
    back = {"digits": "0", "to": "menu", "ref": "a"}
    assert faults(menus=[menu("a", keys=[{**back, "ref": "b"}]), menu("b", keys=[back])]) == {}
    round_and_round = faults(
        menus=[menu("a", no_key_to="menu", no_key_ref="b"), menu("b", wrong_key_to="menu", wrong_key_ref="a")]
    )
    assert round_and_round == {"menus.0.no_key_to": "goes-round", "menus.1.wrong_key_to": "goes-round"}
    assert faults(menus=[menu("a", no_key_to="menu", no_key_ref="a")]) == {"menus.0.no_key_to": "goes-round"}


def test_the_same_key_twice_is_refused() -> None:
    key = {"digits": "1", "to": "group", "ref": "office"}
    assert faults(menus=[menu("a", keys=[key, key])]) == {"menus.0.keys.1.digits": "taken"}


def line(**more: Any) -> dict[str, Any]:
    return {"id": "gsm0", "label": "Reception", "device": "/dev/x", "group": "office", **more}


def test_a_line_names_schemes_and_colleagues_that_are_there() -> None:
    wrong = faults(lines=[line(scheme="gone", mode="forward", forward_over="gsm9", users=["777"], welcome="hello")])
    assert wrong == {
        "lines.0.scheme": "unknown-scheme",
        "lines.0.forward_to": "required",
        "lines.0.forward_over": "unknown-line",
        "lines.0.users": "unknown-extension",
        "lines.0.welcome": "unknown-prompt",
    }


def test_each_line_keeps_the_hours_of_its_own_time_zone() -> None:
    held = settings(lines=[line(timezone="Atlantic/Canary"), line(id="gsm1", device="/dev/y")])
    plan = build(held, (), (), ())
    assert [str(one.hours.zone) for one in plan.lines.values()] == ["Atlantic/Canary", "Europe/Warsaw"]
