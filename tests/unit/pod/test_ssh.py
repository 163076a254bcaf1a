"""The config of a connection, its keys, and the meaning of ssh's error output."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Address
from runpod_deploy.errors import ConfigError
from runpod_deploy.pod.keys import copy_key, key_folder, make_key, public_keys
from runpod_deploy.pod.openssh import host_alias
from runpod_deploy.pod.ssh import (
    Connection,
    Login,
    classify,
    config_text,
    control_path,
    quoted,
)
from runpod_deploy.spec import SshSpec
from runpod_deploy.spec.rules import RuleError

PLAIN = Address(host="203.0.113.9", port=40022)


def login(folder: Path, user_key: Path | None = None) -> Login:
    return Login(ssh_dir=folder, address=PLAIN, host_alias="run-1", user_key=user_key)


def understood(config: str, folder: Path) -> dict[str, list[str]]:
    """The options that ssh itself reads from a config."""
    (folder / "config").write_text(config)
    printed = subprocess.run(["ssh", "-G", "-F", folder / "config", "pod"], capture_output=True, text=True, check=True)
    rows: dict[str, list[str]] = {}
    for row in printed.stdout.splitlines():
        name, _, value = row.partition(" ")
        rows.setdefault(name, []).append(value)
    return rows


@pytest.mark.parametrize("name", ["plain", "with space", "quote'\"s", "100%h", "back\\slash", "ünï"])
def test_ssh_reads_back_every_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    user_key = folder / "my key"
    user_key.touch()
    rows = understood(config_text(login(folder, user_key)), tmp_path)
    doubled = str(folder).replace("%", "%%")
    assert rows["identityfile"] == [f"{doubled}/key", f"{doubled}/my key"]
    assert rows["userknownhostsfile"][0].replace("%%", "%") == f"{folder}/known_hosts"


def test_the_options_that_matter(tmp_path: Path) -> None:
    rows = understood(config_text(login(tmp_path)), tmp_path)
    wanted = {
        "hostname": "203.0.113.9",
        "port": "40022",
        "user": "root",
        "hostkeyalias": "run-1",
        "identitiesonly": "yes",
        "batchmode": "yes",
        "connecttimeout": "10",
        "stricthostkeychecking": "accept-new",
        "identityagent": "none",
        "serveraliveinterval": "5",
        "serveralivecountmax": "3",
    }
    assert {name: rows[name][0] for name in wanted} == wanted


def test_a_user_s_key_that_is_not_there_is_not_offered(tmp_path: Path) -> None:
    assert "no-such-key" not in config_text(login(tmp_path, tmp_path / "no-such-key"))


def test_the_socket_s_path_is_short_however_deep_the_run_lies(tmp_path: Path) -> None:
    deep, folder = login(tmp_path / ("x" * 100) / ("y" * 100)), Path("/run/user/1000/runpod-deploy")
    assert len(str(control_path(folder, deep))) + len(".0123456789abcdef") < 104
    assert control_path(folder, deep) != control_path(folder, login(tmp_path))
    assert control_path(folder, deep) == control_path(folder, login(tmp_path / ("x" * 100) / ("y" * 100)))


@pytest.mark.parametrize("host", ["h\nProxyCommand x", "-oProxyCommand=x", "", "h h", "%h", "ü", "h" * 300, "a\x00"])
def test_an_address_that_means_something_else_to_ssh_is_none(host: str) -> None:
    with pytest.raises(RuleError):
        Address(host=host, port=22)


@pytest.mark.parametrize("port", [0, -1, 65536, 1 << 70])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(RuleError):
        Address(host="h", port=port)


def test_no_line_of_the_config_comes_from_outside(tmp_path: Path) -> None:
    for odd in (
        Login(ssh_dir=tmp_path / "a\nProxyCommand x", address=PLAIN, host_alias="run-1"),
        Login(ssh_dir=tmp_path, address=PLAIN, host_alias="run\n  ProxyCommand x"),
    ):
        with pytest.raises(ConfigError, match="control character"):
            config_text(odd)


def test_a_config_that_somebody_left_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "ssh"
    folder.mkdir()
    theirs = tmp_path / "theirs"
    theirs.write_text("Host pod\n  ProxyCommand touch /tmp/x\n")
    (folder / "config").symlink_to(theirs)
    argv = Connection(login(folder)).argv("true")
    assert argv[:3] == ("ssh", "-F", str(folder / "config")) and not (folder / "config").is_symlink()
    assert (folder / "config").read_text() == config_text(login(folder)) and "ProxyCommand" in theirs.read_text()


def test_a_logout_takes_only_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Path(tempfile.mkdtemp(prefix="s-", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    connection = Connection(login(tmp_path / "ssh"))
    assert f"ControlPath={session}/" in " ".join(connection.argv("true"))
    shutil.rmtree(session)
    (path,) = [word.partition("=")[2] for word in connection.argv("true") if word.startswith("ControlPath=")]
    assert not path.startswith(str(session)) and Path(path).parent.is_dir()
    Path(path).parent.rmdir()


def test_the_user_s_key_is_named_only_if_the_config_names_it() -> None:
    assert SshSpec().login_key_path is None
    assert SshSpec(key_path="/k").login_key_path == Path("/k")


def test_the_pin_stays_at_another_address_and_goes_with_a_boot_of_the_run() -> None:
    assert host_alias("run-1", 1) == host_alias("run-1", 1) != host_alias("run-1", 2)


def test_the_key_pair_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "run dir" / "ssh"
    public = make_key(folder)
    assert public.startswith("ssh-ed25519 ")
    assert make_key(folder) == public
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "key").stat().st_mode & 0o777 == 0o600


def test_an_incomplete_key_pair_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("torn")
    assert make_key(tmp_path).startswith("ssh-ed25519 ")


def test_the_pod_accepts_the_user_s_key_too(tmp_path: Path) -> None:
    user_key = tmp_path / "id"
    assert public_keys(tmp_path / "ssh", user_key).count("\n") == 0
    (tmp_path / "id.pub").write_text("ssh-ed25519 AAAA me@here\n")
    assert public_keys(tmp_path / "ssh", user_key).splitlines()[1:] == ["ssh-ed25519 AAAA me@here"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("root@203.0.113.9: Permission denied (publickey).", "auth"),
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", "host_key"),
        ("ssh: connect to host 203.0.113.9 port 22: Connection refused", "not_listening"),
        ("ssh: connect to host 203.0.113.9 port 22: Connection timed out", "not_listening"),
        ("kex_exchange_identification: Connection closed by remote host", "not_listening"),
        ("ssh: Could not resolve hostname nowhere: Name or service not known", "not_listening"),
        ("client_loop: send disconnect: Broken pipe", "dropped"),
        ("", "dropped"),
    ],
)
def test_failures_are_distinguished(words: str, reason: str) -> None:
    error = classify(words.encode())
    assert error.reason == reason
    assert error.hint
    assert "\n" not in error.message


def test_quoting_of_a_path() -> None:
    assert quoted(Path('/a b/"c"/%d/\\e')) == '"/a b/\\"c\\"/%%d/\\\\e"'


def test_a_key_that_cannot_be_private_in_the_run_folder_lies_with_the_users_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    mount, own = tmp_path / "mount" / "ssh", Path.chmod
    mount.mkdir(parents=True)
    mount.chmod(0o777)

    def chmod(path: Path, mode: int) -> None:
        """What a mount does that gives every file the mode 0777."""
        if tmp_path / "mount" in path.parents:
            raise PermissionError(1, "Operation not permitted")
        own(path, mode)

    monkeypatch.setattr(Path, "chmod", chmod)
    public = make_key(mount)
    folder = key_folder(mount)
    assert not (mount / "key").exists()
    assert folder.is_relative_to(tmp_path / "state") and (folder / "key").stat().st_mode & 0o077 == 0
    assert f'IdentityFile "{folder}/key"' in config_text(login(mount))
    assert copy_key(mount, tmp_path / "next") and (tmp_path / "next" / "key.pub").read_text().strip() == public
