"""The run's own key gets into a pod that another machine requested: the user's key, which is there already, lets it in.

After that this run needs the user's key no more. Knows one file of sshd; knows no lease.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shlex import quote

from ..cloud.values import Address
from ..errors import SshLost
from ..record.paths import RunDir
from ..spec import Spec
from .keys import make_key
from .openssh import RUN_COMMAND, login_to
from .ssh import Connection, Unreachable

TIMEOUT_S = 20.0

PROGRAM = r"""umask 077; cd && mkdir -p .ssh || exit
grep -qxF "$key" .ssh/authorized_keys 2>/dev/null || printf '\n%s\n' "$key" >>.ssh/authorized_keys
"""


def let_in(spec: Spec, run_dir: RunDir, address: Address, boot: int, user_key: Path | None) -> SshLost | None:
    """None once the run's own key may log in at this address; else why the user's key does not get in."""
    key = user_key or spec.job.ssh.resolved_key_path
    if not key.is_file():
        return Unreachable("auth", f"there is no private key {key}")
    connection = Connection(replace(login_to(spec, run_dir, address, boot), user_key=key))
    program = f"key={quote(make_key(run_dir.ssh))}\n{PROGRAM}".encode()
    try:
        done = connection.run(RUN_COMMAND.format(len(program)), stdin=program, timeout_s=TIMEOUT_S)
    except SshLost as error:
        return error
    except TimeoutError:
        return SshLost(f"SSH: no answer within {TIMEOUT_S:.0f} s")
    finally:
        connection.close()
    return None if done.exit_code == 0 else SshLost(f"its authorized_keys cannot be written (exit {done.exit_code})")
