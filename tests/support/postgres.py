"""A PostgreSQL server for one test: in a folder of its own, on a socket only, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of its own, with an empty database; LookupError if none is installed."""
    found = [Path(shutil.which("initdb") or "/nowhere"), *Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    initdb = next((path.resolve() for path in found if path.exists()), None)
    if initdb is None:
        raise LookupError("PostgreSQL is not installed")
    # The server refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    folder = tempfile.mkdtemp(prefix="pg-", dir="/tmp")
    try:
        if user:
            shutil.chown(folder, "postgres")
        data = f"{folder}/data"
        quietly([*user, str(initdb), "-D", data, "-A", "trust", "-U", "sweeps", "--no-sync"])
        settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
        ctl = [*user, str(initdb.with_name("pg_ctl")), "-D", data, "-w"]
        quietly([*ctl, "-l", f"{folder}/log", "-o", settings, "start"])
        try:
            yield f"postgresql+psycopg://sweeps@/postgres?host={folder}"
        finally:
            quietly([*ctl, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def quietly(command: list[str]) -> None:
    """The command has succeeded. A server keeps the streams that it is given, so they are none of ours."""
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
