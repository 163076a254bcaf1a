"""Real SSH servers on loopback: Debian's sshd where the machine has one, asyncssh everywhere."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh

from runpod_deploy.pods import Address

SSHD = "/usr/sbin/sshd"
FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")


def tools_without(folder: Path, *hidden: str) -> str:
    """A PATH with all of the machine's programs but these."""
    folder.mkdir()
    for source in FOLDERS:
        for program in Path(source).iterdir() if Path(source).is_dir() else ():
            link = folder / program.name
            if program.name not in hidden and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


@contextmanager
def openssh(folder: Path, public_key: str, path: str) -> Iterator[Address]:
    """Debian's sshd, with a host key of its own, that lets one key in as root."""
    folder.mkdir()
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    keygen = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host"))
    subprocess.run(keygen, check=True)
    (folder / "keys").write_text(public_key + "\n")
    address = Address(host="127.0.0.1", port=free_port())
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{address.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/keys\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nSetEnv PATH={path}\n"
    )
    server = subprocess.Popen([SSHD, "-D", "-f", folder / "config"], stderr=subprocess.DEVNULL)
    try:
        wait_for(address)
        yield address
    finally:
        server.terminate()
        server.wait()


@contextmanager
def asyncssh_server(folder: Path, public_key: str, path: str) -> Iterator[Address]:
    """asyncssh, which runs commands with the machine's /bin/sh."""
    folder.mkdir()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            process.command or "",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": path, "HOME": str(folder)},
            start_new_session=True,
        )
        await process.redirect(child.stdin, child.stdout, child.stderr)
        process.exit(await child.wait())
        await process.wait_closed()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            authorized_client_keys=asyncssh.import_authorized_keys(public_key),
            process_factory=serve,
            encoding=None,
        )

    acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    try:
        yield Address(host="127.0.0.1", port=acceptor.get_port())
    finally:
        loop.call_soon_threadsafe(acceptor.close)
        asyncio.run_coroutine_threadsafe(_settle(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


async def _settle() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def free_port() -> int:
    """A port that nobody listens at right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: Address) -> None:
    """Somebody listens there."""
    for _ in range(200):
        with socket.socket() as probe:
            probe.settimeout(0.05)
            if probe.connect_ex((address.host, address.port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the server did not come up")


def has_openssh() -> bool:
    """Whether sshd can be tried here: only root may log in as root."""
    return Path(SSHD).exists() and os.getuid() == 0 and shutil.which("ssh-keygen") is not None
