"""`make soak`: the long form of what `make test` does in short. Prints what it covered; 1 where something was lost."""

import argparse
import sys

from tests.acceptance.conftest import Office
from tests.peers.addresses import new_address
from tests.peers.exim import Exim
from tests.soak.flood import Size, flood
from tests.soak.kills import kills


def main() -> int:
    """The store and the mailer alone, then one flood through the whole box; sizes by the command line."""
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("--alone", type=int, default=1000, help="kills of the store and the mailer alone")
    parser.add_argument("--only-alone", action="store_true", help="no flood")
    for name, value in (("messages", 1000), ("burst", 50), ("kills", 200), ("unplugs", 10), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    words = vars(parser.parse_args())
    alone, only = words.pop("alone"), words.pop("only_alone")
    size = Size(**words)
    well = not alone or _alone(alone, size.seed)
    return 0 if (only or _flood(size)) and well else 1


def _alone(number: int, seed: int) -> bool:
    with Exim(new_address(), starttls=False, sign_in=False) as server:
        report = kills(server, number, seed)
    print(f"store and mailer alone: {report.kills} kills, seed {seed}, {report.seconds:.0f} s")
    print(f"  {report.messages} messages, {report.stored} stored, {report.mailed} mailed")
    print(f"  lost: {len(report.lost)} {report.lost[:20]}")
    print(
        f"  stored twice or under two identifiers: {len(report.doubled)} {report.doubled[:20]}; "
        f"one identifier again: {report.repeated}"
    )
    return report.well


def _flood(size: Size) -> bool:
    with Exim(new_address(), starttls=False, sign_in=False) as server, Office() as office:
        report = flood(office, server, size)
    print(f"{report.messages} messages in bursts of {size.burst}, seed {size.seed}: {report.mailed} mailed")
    print(f"  {report.kills} kills, {report.unplugs} unpluggings, {report.seconds:.0f} s")
    print(f"  lost: {len(report.lost)} {report.lost[:20]}")
    print(
        f"  under two identifiers: {len(report.doubled)} {report.doubled[:20]}; one identifier again: {report.repeated}"
    )
    print(f"  left on the SIM: {report.sim_left}")
    return report.well


if __name__ == "__main__":
    sys.exit(main())
