"""The udev rules: each model's ports get their names, and nobody else touches them."""

import re
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

RULES = Path(__file__).parent.parent.parent / "firmware" / "pi" / "60-centralka.rules"
TERM = re.compile(r'([A-Z]+)(?:\{([^}]+)\})?(==|!=|\+=|=)"([^"]*)"')


def rules() -> list[list[tuple[str, str, str, str]]]:
    lines = [line for line in RULES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    for line in lines:
        assert TERM.sub("", line).replace(",", "").strip() == "", f"not understood: {line}"
    return [[match.groups(default="") for match in TERM.finditer(line)] for line in lines]  # type: ignore[misc]


def run(vendor: str, product: str, interface: str, protocol: str = "ff", subsystem: str = "tty") -> dict[str, str]:
    """The environment and the link of a port after the rules, by a reading of our own of what udev(7) says."""
    env = {"ID_USB_INTERFACE_NUM": interface, "ID_PATH_TAG": "usb-0_1_2", "SYMLINK": ""}
    attributes = {"idVendor": vendor, "idProduct": product, "bInterfaceProtocol": protocol}
    goto = ""
    for terms in rules():
        if goto:
            goto = "" if ("LABEL", "", "=", goto) in terms else goto
            continue
        holds = True
        for key, name, operator, value in terms:
            if operator in ("==", "!="):
                found = {
                    "ACTION": "add", "SUBSYSTEM": subsystem, "SUBSYSTEMS": "usb", "TEST": value,
                }.get(key) or (env.get(name, "") if key == "ENV" else attributes.get(name, ""))  # fmt: skip
                matches = any(fnmatchcase(found, one) for one in value.split("|"))
                holds = holds and matches is (operator == "==")
        if not holds:
            continue
        for key, name, operator, value in terms:
            if key == "GOTO":
                goto = value
            elif key == "ENV" and operator == "=":
                env[name] = value.replace("$attr{bInterfaceProtocol}", protocol)
            elif key == "SYMLINK":
                env["SYMLINK"] = value.replace("$env{ID_PATH_TAG}", env["ID_PATH_TAG"])
    return env


@pytest.mark.parametrize(
    ("vendor", "product", "commands", "speech"),
    [
        ("1e0e", "9001", "02", "04"), ("1e0e", "9205", "02", ""), ("1e0e", "9011", "04", ""),
        ("2c7c", "0125", "02", "01"), ("05c6", "9215", "02", "01"), ("2c7c", "0121", "02", ""),
        ("2c7c", "0296", "02", ""), ("12d1", "1001", "02", "01"), ("12d1", "140c", "03", "02"),
        ("12d1", "1506", "03", "02"), ("12d1", "1436", "04", "03"), ("12d1", "14ac", "04", "03"),
        ("1546", "1102", "00", ""), ("1546", "110a", "00", ""), ("1546", "1010", "06", ""), ("05c6", "908b", "01", ""),
    ],
)  # fmt: skip
def test_each_model_has_a_command_port_and_its_speech_port(
    vendor: str, product: str, commands: str, speech: str
) -> None:
    links = {number: run(vendor, product, f"{number:02d}") for number in range(8)}
    assert all(env.get("ID_MM_DEVICE_IGNORE") == "1" for env in links.values())
    ends = {f"{number:02d}": env["SYMLINK"].rpartition("-")[2] for number, env in links.items() if env["SYMLINK"]}
    assert ends == {commands: "at"} | ({speech: "pcm"} if speech else {})


def test_a_huawei_stick_is_known_by_what_its_interface_says() -> None:
    assert run("12d1", "1442", "01", protocol="02")["SYMLINK"] == "centralka/modem-usb-0_1_2-at"
    assert run("12d1", "1442", "00", protocol="01")["SYMLINK"] == ""


def test_a_port_that_is_no_modem_is_left_alone() -> None:
    env = run("0403", "6001", "00")
    assert (env["SYMLINK"], "ID_MM_DEVICE_IGNORE" in env) == ("", False)


def test_udev_itself_takes_the_rules_where_it_can_check_them() -> None:
    said = subprocess.run(["udevadm", "verify", str(RULES)], capture_output=True, text=True, check=False)
    unknown = "Unknown command" in said.stderr  # udev before 254 cannot
    assert unknown or said.returncode == 0, said.stdout + said.stderr
