"""What the network shall forward: only what this line wants, and nothing of others is erased."""

from appliance.core.forwarding import UNTOLD, Diverted, Wish, changes, deviations, same_number

NUMBER = "+48221234567"
BACKUP = Wish(NUMBER)


def test_a_number_alone_means_when_the_box_is_out_of_reach() -> None:
    assert BACKUP.wanted() == (Diverted("unreachable", NUMBER),)
    assert Wish().wanted() == ()
    every = Wish(NUMBER, True, True, True, 15, True)
    assert [(one.reason, one.seconds) for one in every.wanted()] == [
        ("unreachable", 0), ("busy", 0), ("no-answer", 15), ("all", 0),
    ]  # fmt: skip


def test_what_holds_already_is_not_set_again() -> None:
    assert changes(BACKUP, (), ()) == (Diverted("unreachable", NUMBER),)
    assert changes(BACKUP, (Diverted("unreachable", "0221234567"),), ()) == ()
    assert changes(BACKUP, (Diverted("unreachable", "+48600100200"),), ()) == (Diverted("unreachable", NUMBER),)
    timed = Wish(NUMBER, unreachable=False, no_answer=True, seconds=15)
    assert changes(timed, (Diverted("no-answer", NUMBER, 15),), ()) == ()
    assert changes(timed, (Diverted("no-answer", NUMBER, 0),), ()) == ()
    assert changes(timed, (Diverted("no-answer", NUMBER, 30),), ()) == (Diverted("no-answer", NUMBER, 15),)


def test_only_what_we_set_is_erased() -> None:
    mailbox = Diverted("busy", "+48501000501")
    ours = Diverted("unreachable", NUMBER)
    assert changes(Wish(), (mailbox, ours), ("unreachable",)) == (Diverted("unreachable"),)
    assert changes(Wish(), (mailbox, ours), ()) == ()
    assert changes(Wish(), (mailbox, Diverted("unreachable")), ("unreachable",)) == ()


def test_a_lost_setting_is_a_deviation_and_an_unknown_one_is_not() -> None:
    assert deviations(BACKUP, (Diverted("unreachable", NUMBER),)) == ()
    assert deviations(BACKUP, (Diverted("unreachable"),)) == ("unreachable",)
    assert deviations(BACKUP, (Diverted("busy"),)) == ()


def test_numbers_are_the_same_however_the_network_writes_them() -> None:
    assert same_number(NUMBER, "221234567")
    assert same_number(NUMBER, "0048221234567")
    assert same_number(NUMBER, UNTOLD)
    assert not same_number(NUMBER, "+48221234568")
    assert not same_number(NUMBER, "")
