"""The box's own certificates: made on it, for its address and name, and made anew before they end.

Browsers warn once about the page's, phones must be told to take theirs; what they protect against is somebody else on
the office network.
"""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

VALID = timedelta(days=397)  # what browsers take at most
RENEW_BEFORE = timedelta(days=30)


def ensure(folder: Path, address: str, host: str, name: str = "page", old_clients: bool = False) -> tuple[Path, Path]:
    """Certificate and key for this address and host name, made where they are missing, old or for another address.
    `name`: of the files; `old_clients`: an RSA key, for desk phones that know no other. Raises OSError."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    if not _fits(certificate, address) or not key.exists():
        secret = rsa.generate_private_key(65537, 2048) if old_clients else ec.generate_private_key(ec.SECP256R1())
        _make(certificate, key, address, host, secret)
    return certificate, key


def _fits(path: Path, address: str) -> bool:
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    ours = ipaddress.ip_address(address) in names.get_values_for_type(x509.IPAddress)
    return ours and found.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE


def _make(
    certificate: Path, key: Path, address: str, host: str, secret: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Centralka {host}"[:64])])
    now = datetime.now(UTC)
    names = [x509.IPAddress(ipaddress.ip_address(address)), x509.DNSName(host), x509.DNSName(f"{host}.local")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    _write(key, secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    _write(certificate, made.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, data: bytes) -> None:
    """Replaced whole, readable by nobody else."""
    temp = path.with_name(path.name + ".new")
    handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temp, path)
