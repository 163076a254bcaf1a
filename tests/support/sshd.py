"""Real SSH servers on loopback: Debian's sshd where the machine has one, asyncssh everywhere."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import asyncssh

from runpod_deploy.cloud.values import Address

SSHD = "/usr/sbin/sshd"
FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")


@cache
def tools_without(*hidden: str) -> str:
    """A PATH with all programs of the machine except these; the folder is made once."""
    folder = Path(tempfile.mkdtemp(prefix="tools-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for source in FOLDERS:
        for program in Path(source).iterdir() if Path(source).is_dir() else ():
            link = folder / program.name
            if program.name not in hidden and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


@cache
def busybox_tools() -> str:
    """A PATH with only busybox's programs, bash and curl, as on the smallest images; the folder is made once."""
    folder = Path(tempfile.mkdtemp(prefix="tools-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    busybox = shutil.which("busybox")
    assert busybox is not None
    for name in subprocess.check_output([busybox, "--list"], text=True).split():
        (folder / name).symlink_to(busybox)
    for name in ("bash", "curl"):
        (folder / name).symlink_to(shutil.which(name) or "/nowhere")
    return str(folder)


@contextmanager
def openssh(folder: Path, public_key: str, path: str) -> Iterator[Address]:
    """Debian's sshd with a new host key, which accepts one key for root."""
    folder.mkdir()
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    keygen = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host"))
    subprocess.run(keygen, check=True)
    (folder / "keys").write_text(public_key + "\n")
    address = Address(host="127.0.0.1", port=free_port())
    # With SHLVL set, bash considers itself an inner shell and does not read root's own start files.
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1:{address.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/keys\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\n"
        f"KbdInteractiveAuthentication no\nAcceptEnv LANG LC_*\nSubsystem sftp internal-sftp\n"
        f"SetEnv PATH={path} SHLVL=2\n"
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
    """asyncssh in its own process, which runs commands with /bin/sh."""
    folder.mkdir()
    (folder / "keys").write_text(public_key + "\n")
    argv = (sys.executable, __file__, folder, path)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        try:
            yield Address(host="127.0.0.1", port=int(server.stdout.readline()))
        finally:
            server.kill()


async def serve_forever(folder: Path, path: str) -> None:
    """Prints its port and serves clients with the accepted key."""

    async def carry_out(process: asyncssh.SSHServerProcess[bytes]) -> None:
        child = await asyncio.create_subprocess_exec(
            shutil.which("sh", path=path) or "/bin/sh",
            "-c",
            process.command or "",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": path, "HOME": str(folder)},
            start_new_session=True,
        )
        assert child.stdin and child.stdout and child.stderr
        feeding = asyncio.create_task(carry(process.stdin, child.stdin))
        await asyncio.gather(carry(child.stdout, process.stdout), carry(child.stderr, process.stderr))
        process.exit(await child.wait())
        feeding.cancel()

    async def carry(source: Any, target: Any) -> None:
        with suppress(OSError, asyncssh.Error):
            while data := await source.read(1 << 16):
                target.write(data)
                await target.drain()
        if isinstance(target, asyncio.StreamWriter):  # a channel that was closed on both sides loses the exit status
            target.close()

    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        authorized_client_keys=str(folder / "keys"),
        process_factory=carry_out,
        encoding=None,
    )
    print(acceptor.get_port(), flush=True)
    await acceptor.wait_closed()


def free_port() -> int:
    """A port at which nothing listens right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: Address) -> None:
    """The server accepts connections at the address."""
    for _ in range(200):
        with socket.socket() as probe:
            probe.settimeout(0.05)
            if probe.connect_ex((address.host, address.port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the server did not come up")


def has_openssh() -> bool:
    """Whether sshd can be tested here: only root may log in as root."""
    return Path(SSHD).exists() and os.getuid() == 0 and shutil.which("ssh-keygen") is not None


if __name__ == "__main__":
    asyncio.run(serve_forever(Path(sys.argv[1]), sys.argv[2]))
