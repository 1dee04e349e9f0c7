"""Phones that encrypt: SIP over TLS with the box's own certificate, and their speech with SRTP."""

import socket
import ssl

import pytest

from tests.lines.conftest import MakePhone
from tests.lines.test_calls import _tone
from tests.peers.box import Box
from tests.peers.waiting import until


@pytest.mark.parametrize("srtp", ["srtp", "srtp-mand"])
def test_a_phone_that_encrypts_calls_and_is_called(box: Box, phone: MakePhone, srtp: str) -> None:
    """One on TLS with SRTP, the other in the clear: both hear each other, whoever calls."""
    anna = phone("101", hertz=440, transport="tls", port=5061, extra=f";mediaenc={srtp}")
    ben = phone("102", hertz=1000)
    [contact] = next(one for one in box.status()["phones"] if one["extension"] == "101")["contacts"]
    assert contact["flow"].startswith("tls ")
    for caller, callee, number in ((anna, ben, "102"), (ben, anna, "101")):
        if srtp == "srtp-mand" and callee is anna:
            break  # it takes calls only where speech must be encrypted, which we leave to the phone
        caller.dial(number)
        callee.wait("CALL_INCOMING")
        callee.answer()
        caller.wait("CALL_ESTABLISHED")
        callee.wait("CALL_ESTABLISHED")
        until("ben hears anna", lambda: _tone(ben, 440), 10, 0.2)
        until("anna hears ben", lambda: _tone(anna, 1000), 10, 0.2)
        caller.hang_up()
        callee.wait("CALL_CLOSED")
    assert anna.log().count("SRTP is Enabled") == (1 if srtp == "srtp-mand" else 2)


def test_the_certificate_names_the_box_and_old_versions_of_tls_are_refused(box: Box) -> None:
    context = ssl.create_default_context(cadata=(box.places.tls / "phones.crt").read_text())
    with (
        socket.create_connection((box.address, 5061), 5) as wire,
        context.wrap_socket(wire, server_hostname=box.address) as secure,
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")
    assert (box.places.tls / "phones.key").stat().st_mode & 0o077 == 0
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection((box.address, 5061), 5) as wire, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(wire)
