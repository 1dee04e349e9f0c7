"""`make soak`: the long form of what `make test` does in short. Prints what it covered; 1 where something was lost."""

import argparse
import sys

from tests.acceptance.conftest import Office
from tests.peers.addresses import new_address
from tests.peers.exim import Exim
from tests.soak.flood import Size, flood


def main() -> int:
    """One flood; its size by the command line."""
    parser = argparse.ArgumentParser(prog="soak")
    for name, value in (("messages", 1000), ("burst", 50), ("kills", 200), ("unplugs", 10), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    size = Size(**vars(parser.parse_args()))
    with Exim(new_address(), starttls=False, sign_in=False) as server, Office() as office:
        report = flood(office, server, size)
    print(f"{report.messages} messages in bursts of {size.burst}, seed {size.seed}: {report.mailed} mailed")
    print(f"  {report.kills} kills, {report.unplugs} unpluggings, {report.seconds:.0f} s")
    print(f"  lost: {len(report.lost)} {report.lost[:20]}")
    print(
        f"  under two identifiers: {len(report.doubled)} {report.doubled[:20]}; one identifier again: {report.repeated}"
    )
    print(f"  left on the SIM: {report.sim_left}")
    return 0 if report.well else 1


if __name__ == "__main__":
    sys.exit(main())
