"""Whether somebody stands behind who rings first."""

import pytest

from appliance.core.scheme import Branch, Destination, Scheme, SchemeBlock, To, has_backup, without_backup

RINGS = SchemeBlock((Destination(To.GROUP, "office"),))
MOBILE = SchemeBlock((Destination(To.OUTSIDE, "+48600100200"),), seconds=120)
MAILBOX = SchemeBlock((Destination(To.MAILBOX, "office"),))
CLOSED = SchemeBlock((Destination(To.ANNOUNCEMENT, "closed"),))


@pytest.mark.parametrize(
    ("blocks", "safe"),
    [
        ((RINGS,), False),
        ((RINGS, MOBILE), True),
        ((RINGS, MAILBOX), True),
        ((MAILBOX,), True),
        ((RINGS, CLOSED), False),
        ((CLOSED, RINGS), False),
    ],
)
def test_a_branch_has_a_backup_when_something_catches_the_call(blocks: tuple[SchemeBlock, ...], safe: bool) -> None:
    branch = Branch("Day", True, (), blocks)
    assert has_backup(branch) == safe
    assert without_backup(Scheme("s", "S", (branch,))) == (not safe)


def test_an_announcement_alone_rings_nobody_and_needs_no_backup() -> None:
    assert not without_backup(Scheme("s", "S", (Branch("Closed", True, (), (CLOSED,)),)))
