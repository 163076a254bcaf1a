"""A process of its own that makes sockets inside pods. Knows namespaces; only the standard library, to start quickly.

A socket belongs to the network in which it was made, whoever uses it. So the simulator asks this process, which forks a
child for each request: the child enters the pod's namespaces, makes the socket and hands it over. It has one thread,
because the kernel lets no process with several enter a user namespace.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NEWUSER, NEWNET, NEWNS = 0x10000000, 0x40000000, 0x00020000
TIOCSPTLCK, TIOCGPTN = 0x40045431, 0x80045430
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
UP_AND_RUNNING = 0x1 | 0x40
CONNECT_WITHIN_S = 20
MESSAGE_BYTES = 65536


def main() -> None:
    """Requests are answered until the simulator is gone."""
    link = socket.socket(fileno=int(sys.argv[1]))
    # Nobody waits for the children.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while request := link.recv(MESSAGE_BYTES):
        if os.fork() == 0:
            try:
                answer(link, json.loads(request))
            finally:
                os._exit(0)


def answer(link: socket.socket, request: dict[str, Any]) -> None:
    """The simulator has what was made, or the reason why there is nothing."""
    try:
        made = MAKERS[request["do"]](request)
        numbers = made if isinstance(made, tuple) else (made.fileno(),)
        socket.send_fds(link, [json.dumps({"id": request["id"]}).encode()], numbers)
    except OSError as error:
        said = {"id": request["id"], "errno": error.errno or 0, "error": error.strerror or str(error)}
        link.send(json.dumps(said).encode())


def network(request: dict[str, Any]) -> socket.socket:
    """Loopback and the pod's own address are up; a socket that listens where the pod expects the API."""
    enter(request)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        set_address(control, b"lo:1", request["address"])
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP_AND_RUNNING))
    return listening(request["host"], request["port"])


def set_address(control: socket.socket, device: bytes, address: str) -> None:
    """The device has the address, and no neighbours."""
    for code, text in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.255")):
        value = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))
        fcntl.ioctl(control, code, struct.pack("16s16s", device, value))


def connect(request: dict[str, Any]) -> socket.socket:
    """A socket that is connected to an address, as seen in the pod."""
    enter(request)
    return socket.create_connection((request["host"], request["port"]), timeout=CONNECT_WITHIN_S)


def listen(request: dict[str, Any]) -> socket.socket:
    """A socket that listens in the pod."""
    enter(request)
    return listening(request["host"], request["port"])


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at the address."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    made.listen(128)
    return made


def connect_path(request: dict[str, Any]) -> socket.socket:
    """A socket that is connected to a path in the pod."""
    enter_root(request)
    made = socket.socket(socket.AF_UNIX)
    made.connect(request["path"])
    return made


def listen_path(request: dict[str, Any]) -> socket.socket:
    """A socket that listens at a path in the pod; only the pod's root may use it."""
    enter_root(request)
    if request["in_new_folder"]:
        Path(request["path"]).parent.mkdir(mode=0o700)
    os.umask(0o177)
    made = socket.socket(socket.AF_UNIX)
    made.bind(request["path"])
    made.listen(128)
    return made


def terminal(request: dict[str, Any]) -> tuple[int, int]:
    """Both ends of a new terminal of the pod, so that programs there find its name; the outer one first."""
    enter_root(request)
    outer = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(outer, TIOCSPTLCK, struct.pack("i", 0))
    number = struct.unpack("i", fcntl.ioctl(outer, TIOCGPTN, struct.pack("i", 0)))[0]
    return outer, os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)


def enter(request: dict[str, Any]) -> None:
    """This process is in the pod's network."""
    if request["user"]:
        setns(request["pid"], "user", NEWUSER)
    if request["net"]:
        setns(request["pid"], "net", NEWNET)


def enter_root(request: dict[str, Any]) -> None:
    """This process sees the pod's files only."""
    root = os.open(f"/proc/{request['pid']}/root", os.O_PATH | os.O_DIRECTORY)
    if request["user"]:
        setns(request["pid"], "user", NEWUSER)
    setns(request["pid"], "mnt", NEWNS)
    os.fchdir(root)
    os.chroot(".")
    os.chdir("/")


def setns(pid: int, name: str, kind: int) -> None:
    """This process has entered the namespace. Raises OSError."""
    space = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
    try:
        if LIBC.setns(space, kind) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(space)


LIBC = ctypes.CDLL(None, use_errno=True)
MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "network": network,
    "connect": connect,
    "listen": listen,
    "connect_path": connect_path,
    "listen_path": listen_path,
    "terminal": terminal,
}

if __name__ == "__main__":
    main()
