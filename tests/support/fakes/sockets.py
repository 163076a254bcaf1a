"""A loopback server that does to each connection what a test wants. Knows sockets; knows no HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def server_that(treats: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that treats each connection so, each in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def treat(connection: socket.socket) -> None:
        with suppress(OSError):
            treats(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                accepted.append(connection)
                threading.Thread(target=treat, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in accepted:
            connection.close()


def says_nothing(connection: socket.socket) -> None:
    """Reads for ever and never answers."""
    while connection.recv(1 << 16):
        pass


def drips(data: bytes, pause_s: float) -> Callable[[socket.socket], None]:
    """Sends the data a byte at a time once something has arrived."""

    def treat(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(pause_s)

    return treat
