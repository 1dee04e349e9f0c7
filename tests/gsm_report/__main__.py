"""make gsm-report: how well the SIM line understands what networks and modems write, beside its goals. Ends 1 where one
is missed. One section is one module: a function of the table, added to SECTIONS. `--quick` fuzzes a thousandth; names
of sections as words run those alone."""

import sys
from collections.abc import Callable, Mapping

from tests.gsm_report.corpus import corpus
from tests.gsm_report.drain import drain
from tests.gsm_report.fuzzing import fuzzing
from tests.gsm_report.speed import speed
from tests.gsm_report.table import Table
from tests.gsm_report.transcripts import transcripts

SECTIONS: Mapping[str, Callable[[Table], None]] = {
    "corpus": corpus, "transcripts": transcripts, "speed": speed, "drain": drain, "fuzzing": fuzzing,
}  # fmt: skip


def main() -> int:
    wanted = [word for word in sys.argv[1:] if word in SECTIONS] or list(SECTIONS)
    table = Table()
    for name in wanted:
        sys.stdout.write(f"\n{name}\n")
        SECTIONS[name](table)
    sys.stdout.write("\nEvery goal is met.\n" if not table.missed else "\nGoals marked with ! are missed.\n")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
