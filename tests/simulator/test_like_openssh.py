"""The same clients talk to a pod and to Debian's sshd, and see the same."""

from __future__ import annotations

import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..support.sshd import SSHD, free_port, openssh
from .conftest import Sim, serving

# Each script runs on the client, in bash. $SSH, $SCP and $SFTP have all options, $AT is root at the server, $THERE is a
# folder on it, $SERVED a port of the client that says hello, $FREE a port that is free on both.
SCRIPTS = {
    "output, errors and exit status": "$SSH $AT 'echo out; echo err >&2; exit 3'",
    "input": "seq 100000 | $SSH $AT 'cat; echo end' | cksum",
    "a command that a signal ends": "$SSH $AT 'kill -TERM $$'",
    "a reader that goes away": "timeout 9 $SSH $AT yes | head -1; timeout 9 $SSH $AT 'cat /dev/zero' | head -c 9 | wc",
    "a child in the background": "timeout 9 $SSH $AT 'sleep 60 >/dev/null 2>&1 </dev/null & echo started'",
    "no terminal": "$SSH $AT tty",
    "a terminal": """
        $SSH -tt $AT 'test "$(tty)" = "$SSH_TTY" && tty | tr -d 0-9; stty size; echo $TERM; : >/dev/tty'""",
    "a terminal for a program in it": "$SSH -tt $AT 'script -qec \"tty | tr -d 0-9\" /dev/null'",
    "a login shell": "printf '%s\\n' 'shopt -q login_shell && echo login' 'exit 4' | $SSH -T $AT",
    "the command's shell": "$SSH $AT 'echo $0 $#; pwd; echo $HOME $USER $SHELL; set -- $SSH_CONNECTION; echo $#'",
    "scp": "seq 9999 >up; $SCP up $AT:$THERE/x && $SCP $AT:$THERE/x down && cmp up down && echo same",
    "scp in the old way": "seq 9 >up; $SCP -O up $AT:$THERE/y && $SCP -O $AT:$THERE/y down && cmp up down && echo same",
    "scp of a folder": "mkdir -p d/e; echo hi >d/e/f; $SCP -r d $AT:$THERE/d && $SSH $AT cat $THERE/d/e/f",
    "sftp": """
        echo hi >up
        printf '%s\n' "cd $THERE" "put up z" "ln -s z l" "chmod 600 z" "rename z q" "rm l" ls "get none" |
        $SFTP -b - $AT""",
    "a port of the client": "$SSH -R $FREE:127.0.0.1:$SERVED $AT 'head -1 </dev/tcp/localhost/'$FREE",
    "a port that is taken": """
        $SSH -MNfS ctl -R $FREE:127.0.0.1:$SERVED $AT
        $SSH -o ExitOnForwardFailure=yes -R $FREE:127.0.0.1:$SERVED $AT 'echo went on' 2>&1; $SSH -S ctl -O exit $AT""",
    "a socket of the client": "$SSH -R $THERE/s:127.0.0.1:$SERVED $AT 'stat -c %A $THERE/s'",
    "a port of the server where nothing listens": "$SSH -W 127.0.0.1:1 $AT",
    "a socket of the server that does not exist": """
        $SSH -MNfS ctl -L $PWD/own:$THERE/none $AT; curl -s --unix-socket own http://x/; code=$?
        # Closed before or after curl has sent its request: both servers do both, by chance.
        case $code in 52 | 56) echo closed ;; *) echo $code ;; esac
        $SSH -S ctl -O exit $AT""",
    "an agent": "eval $(ssh-agent) >/dev/null; ssh-add -q $KEY; $SSH -A $AT 'ssh-add -l | wc -l'; kill $SSH_AGENT_PID",
    "no agent": "$SSH $AT 'echo agent=$SSH_AUTH_SOCK'",
    "more sessions than a connection may have": """
        $SSH -MNfS ctl $AT
        for i in 1 2 3 4 5 6 7 8 9 10 11; do $SSH -S ctl -o ControlMaster=no $AT 'sleep 1; echo ok' & done 2>&1
        wait; $SSH -S ctl -O exit $AT""",
    "a host key of another kind": "$SSH -o HostKeyAlgorithms=ssh-ed25519 $AT 'echo ok'",
    "another user": "$SSH daemon@127.0.0.1 true",
    "another key": "ssh-keygen -q -t ed25519 -N '' -f other; ${SSH/$KEY/other} $AT true",
}


@dataclass
class Server:
    """One SSH server, and a client's folder for it."""

    port: int
    folder: Path
    key: Path
    served: int

    def run(self, script: str) -> tuple[int, bytes, bytes]:
        """Exit status, output and errors of the client's script."""
        options = f"-F none -i {self.key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        options += " -o BatchMode=yes -o IdentitiesOnly=yes"
        there, free = f"/tmp/like-openssh-{self.port}", str(free_port())
        env = {"SSH": f"ssh {options} -p {self.port}", "SCP": f"scp -q {options} -P {self.port}"}
        env |= {"SFTP": f"sftp -q {options} -P {self.port}", "AT": "root@127.0.0.1", "THERE": there}
        env |= {"KEY": str(self.key), "SERVED": str(self.served), "FREE": free}
        whole = f"$SSH $AT mkdir -p $THERE; {script}\ncode=$?; $SSH $AT rm -r $THERE; exit $code"
        done = subprocess.run(
            ["bash", "-c", whole],
            cwd=self.folder,
            env=dict(os.environ, TERM="xterm") | env,
            capture_output=True,
        )
        seen = [
            text.replace(there.encode(), b"THERE").replace(free.encode(), b"FREE")
            for text in (done.stdout, done.stderr)
        ]
        return done.returncode, seen[0], seen[1]


class Hello(socketserver.StreamRequestHandler):
    """Says hello."""

    def handle(self) -> None:
        self.wfile.write(b"hello\n")


@pytest.fixture(scope="module")
def servers(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Debian's sshd, and a pod's."""
    if os.geteuid() != 0 or shutil.which(SSHD) is None:
        pytest.skip("needs root and Debian's sshd")
    folder, key = tmp_path_factory.mktemp("like-openssh"), home / "key"
    with (
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Hello) as hello,
        openssh(folder / "sshd", key.with_suffix(".pub").read_text().strip(), os.environ["PATH"]) as address,
        serving(home) as sim,
    ):
        threading.Thread(target=hello.serve_forever, daemon=True).start()
        made = []
        for name, port in (("real", address.port), ("simulated", pod_port(sim))):
            (folder / name).mkdir()
            made.append(Server(port, folder / name, key, hello.server_address[1]))
        yield made[0], made[1]
        hello.shutdown()


def pod_port(sim: Sim) -> int:
    """The SSH port of a new pod."""
    return int(sim.ready(sim.create())["ssh"]["direct"]["port"])


@pytest.mark.parametrize("about", SCRIPTS)
def test_a_client_sees_no_difference(servers: tuple[Server, Server], about: str) -> None:
    real, simulated = servers
    expected = real.run(SCRIPTS[about])
    assert simulated.run(SCRIPTS[about]) == expected
