"""A process of its own: asyncssh's SFTP server on the files of one pod, for machines without OpenSSH's.

It reads requests from its input and enters the pod before it touches a file.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any, cast

import asyncssh
from asyncssh.logging import logger

from .socket_helper import enter_root

VERSION = 3
HOME = b"/root/"


class Reader:
    """The requests; the part of asyncssh's reader that its SFTP server needs."""

    logger = logger

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self.readexactly = stream.readexactly

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Only that the client is as OpenSSH's, which sends the two names of a link the other way round."""
        return {"client_version": "OpenSSH"}.get(name, default)


class Writer:
    """The answers; the part of asyncssh's writer and channel that its SFTP server needs."""

    def __init__(self) -> None:
        self.channel = self

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return False

    def write(self, data: bytes) -> None:
        """The client has these bytes, however slow it is."""
        while data:
            data = data[os.write(1, data) :]

    def close(self) -> None:
        """Nothing more comes; the process ends."""


class Files(asyncssh.SFTPServer):
    """The files of the pod; a relative path starts at root's home."""

    def __init__(self) -> None:
        super().__init__(cast(Any, None))

    def map_path(self, path: bytes) -> bytes:
        """The path in the pod."""
        return path if path.startswith(b"/") else HOME + path

    def reverse_map_path(self, path: bytes) -> bytes:
        """The path that the client sees."""
        return path


async def serve() -> None:
    """Every request has been answered."""
    stream = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
    await asyncssh.sftp.run_sftp_server(Files(), cast(Any, Reader(stream)), cast(Any, Writer()), VERSION)


if __name__ == "__main__":
    enter_root(json.loads(sys.argv[1]))
    asyncio.run(serve())
