"""The switches of a virtual modem: how it behaves, and how it misbehaves when a test wants that.

Each is a field that `gsm0 set NAME VALUE` changes while it runs. The defaults are a modem that behaves.
"""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Quirks:
    """Times in seconds."""

    # the network and the far end
    ring_interval: float = 5.0  # between two RINGs
    setup_seconds: float = 0.5  # from ATD until the far end rings
    auto_answer: float = -1.0  # an outgoing call is answered after so long; below 0: when told
    send_seconds: float = 0.3  # from the end of a message until the network took it
    send_error: int = 0  # CMS error for every message sent
    redeliver_seconds: float = 0.3  # a message held by the network comes so long after there is room
    register_seconds: float = 0.2  # from radio on until registered
    operator: str = "Orange PL"
    operator_code: str = "26003"
    signal: int = 17  # CSQ, 0..31
    # the SIM and the device
    pin: str = ""  # the PIN the SIM asks for; "" = it asks for none
    pin_tries: int = 3
    sim_absent: bool = False
    capacity_sm: int = 50
    capacity_me: int = 23
    reboot_seconds: float = 2.0
    # misbehaviour on the AT port
    dribble: float = 0.0  # pause between two octets
    terminator: str = "\r\n"  # "\r\r\n" on some SIMCom firmwares
    garbage: str = ""  # octets in hex before each answer
    inside: str = ""  # a URC in the middle of each answer that has more than its final result
    silent: str = ""  # beginning of the commands that are not answered: "AT" = none is
    late: float = 0.0  # pause before answers ...
    late_for: str = "AT"  # ... to commands that begin so
    lose_final: str = ""  # beginning of the commands whose final result is lost
    noise: float = 0.0  # a signal URC this often
    # misbehaviour of the store
    delete_fails: int = 0  # so many deletions fail; below 0: all
    memory_lie: bool = False  # +CMTI names the other memory
    wrong_length: bool = False  # the length beside a PDU is wrong
    readable_after: float = 0.0  # a message can be read so long after its +CMTI
    class0_direct: bool = True  # a flash message comes as +CMT whatever CNMI says
    # voice
    voice_locked: bool = False  # no audio over USB: the enabling command gives ERROR
    drift_ppm: float = 0.0  # error of the audio clock
    lose_octet: int = 0  # drop one octet of audio each so many frames; 0: never

    def change(self, name: str, value: object) -> None:
        """Set one switch from JSON or from a word typed. Raises ValueError with a sentence for people."""
        known = {f.name: f.type for f in fields(self)}
        name = name.replace("-", "_")
        if name not in known:
            raise ValueError(f"there is no switch {name}; there are: {', '.join(known)}")
        kind = known[name]
        if kind is bool:
            words: dict[object, bool] = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
            if not isinstance(value, bool):
                if str(value).lower() not in words:
                    raise ValueError(f"{name} is on or off")
                value = words[str(value).lower()]
        elif kind is int or kind is float:
            try:
                value = int(str(value)) if kind is int else float(str(value))
            except ValueError:
                raise ValueError(f"{name} is a number") from None
        else:
            value = str(value).encode("latin-1", "replace").decode("unicode_escape") if "\\" in str(value) else value
        setattr(self, name, value if kind is not str else str(value))
        if name == "garbage":
            bytes.fromhex(self.garbage)
