"""The store and the mailer alone, killed at random moments: the short form of what `make soak` does."""

from tests.peers.exim import Exim
from tests.soak.kills import kills


def test_store_and_mailer_killed_at_random_moments_store_each_message_once_and_mail_it_under_one_identifier() -> None:
    with Exim(starttls=False, sign_in=False) as server:
        report = kills(server, 20, seed=5)
    assert (report.lost, report.doubled) == ([], [])
    assert (report.kills, report.messages, report.stored, report.mailed) == (20, 20, 20, 20)
