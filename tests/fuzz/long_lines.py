"""python -m tests.fuzz.long_lines: every parser with lines much longer than the engine lets through. What takes time by
the square of the length does not end within minutes; what does not is done at once."""

from itertools import product

from appliance.protocols import at
from appliance.protocols.modem_shown import line_shown
from tests.fuzz.targets import PARSERS, PARSERS_OF_LINES

LENGTH = 100_000  # 25 times the longest line of the engine
HEADS = ("", "+CMTI: ", "+CPMS: ", "+CLIP: ", "+CREG: ", "+CUSD: ", '+CUSD: 0,"', '+COPS: 1,0,"', "+CLCC: ", "+CPIN: ")
PIECES = ('"', '"",', "(", ")", " ", "1", "1,", "A", "00", "0041", ", ", 'a"b', "é")


def main() -> None:
    parsers = (*PARSERS, line_shown, at.URC.match, at.FINAL.match, at.TWO_LINES.match)
    for head, piece in product(HEADS, PIECES):
        line = (head + piece * LENGTH)[:LENGTH] + "x"
        for parser in parsers:
            parser(line)
        for parser in PARSERS_OF_LINES:
            parser((line, line))


if __name__ == "__main__":
    main()
