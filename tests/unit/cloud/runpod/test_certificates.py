"""Certificates over real TLS: only a server that a trusted authority knows by this name, and now, gets the key."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runpod_deploy.cloud.runpod.calls import Call
from runpod_deploy.cloud.runpod.pace import Pace
from runpod_deploy.cloud.runpod.wire import Wire
from runpod_deploy.errors import CloudUnreachable
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.sockets import server_that

GET = Call(method="GET", path="/v2/pods/p", what="look at pod p")
NOW = datetime.now(UTC)
HERE = x509.IPAddress(ip_address("127.0.0.1"))


def certificate(folder: Path, name: x509.GeneralName, until: datetime) -> Path:
    """A self-signed certificate with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=9))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def server_with(path: Path, received: list[bytes]) -> Iterator[str]:
    """The address of a server with this certificate; everything that it could read is in `received`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            received.append(secure.recv(1 << 16))
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with server_that(answer) as port:
        yield f"https://127.0.0.1:{port}"


def ask(url: str, clock: FakeClock) -> object:
    return Wire("the-key", url, clock, Pace(clock, None), None).send(GET).document


def test_a_private_authority_is_trusted_if_the_user_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, received = certificate(tmp_path, HERE, NOW + timedelta(days=9)), list[bytes]()
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with server_with(path, received) as url:
        assert ask(url, FakeClock()) == {}
    assert b"the-key" in received[0]


CASES = {
    "unknown authority": (HERE, 9, False),
    "other name": (x509.DNSName("api.example"), 9, True),
    "expired": (HERE, -1, True),
}


@pytest.mark.parametrize(("name", "days", "trusted"), CASES.values(), ids=CASES.keys())
def test_no_other_server_gets_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: x509.GeneralName, days: int, trusted: bool
) -> None:
    path, received = certificate(tmp_path, name, NOW + timedelta(days=days)), list[bytes]()
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    clock = FakeClock()
    with server_with(path, received) as url, pytest.raises(CloudUnreachable, match="secure connection"):
        ask(url, clock)
    assert not any(received) and clock.monotonic() == 0  # the same would happen again, so it is not tried again
