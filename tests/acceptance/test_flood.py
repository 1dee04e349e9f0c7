"""Many messages while everything fails: the short form of `make soak`."""

from tests.acceptance.conftest import Office
from tests.peers.addresses import new_address
from tests.peers.exim import Exim
from tests.soak.flood import Size, flood


def test_a_flood_of_messages_through_kills_and_unpluggings_is_mailed_whole_and_once(office: Office) -> None:
    with Exim(new_address(), starttls=False, sign_in=False) as server:
        report = flood(office, server, Size(messages=60, burst=20, kills=8, unplugs=2, seed=7))
    assert (report.lost, report.doubled, report.sim_left) == ([], [], 0)
    assert report.mailed == 60
    assert (report.kills, report.unplugs) == (8, 2)
