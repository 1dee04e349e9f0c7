"""Names of providers and the addresses of their servers. Loop thread only."""

from appliance.protocols.locate import Hop, literal


class Resolver:
    """`at`: monotonic seconds."""

    def want(self, name: str) -> None:
        """Somebody needs this name from now on."""

    def hop(self, name: str, port: int, transport: str, at: float) -> Hop | None:
        """The server to use now; None while the name is asked for, or is unknown."""
        return literal(name, port, transport)

    def move_on(self, name: str) -> bool:
        """The server in use does not answer: the next one. False where there is no other."""
        return False

    def unknown(self, name: str) -> bool:
        """Nobody knows the name."""
        return literal(name, 0, "udp") is None

    def addresses(self, name: str) -> frozenset[str]:
        """All addresses of a name."""
        found = literal(name, 0, "udp")
        return frozenset({found.address}) if found else frozenset()
