"""Shell text in a real bash: the environment of jobs and commands, and secrets."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runpod_deploy.pod.shell import IN_MEMORY, command, remove_files, secret_text, write_file
from runpod_deploy.spec import RemoteEnvSpec


def bash(text: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    path = {"PATH": "/usr/bin:/bin", **(env or {})}
    return subprocess.run(["bash", "-c", text], input=stdin, env=path, capture_output=True)


def sourcing(tmp_path: Path, content: str, text: str, **exports: str) -> subprocess.CompletedProcess[bytes]:
    """A command after a file with this content was sourced."""
    file = tmp_path / "env.sh"
    file.write_text(content)
    return bash(command(text, RemoteEnvSpec(source_files=(str(file),), exports=exports)))


@pytest.mark.parametrize(
    "end", ["exit 0", "exit 3", "exec true", "set -u; echo $NOT_SET", "trap 'exit 0' EXIT; exit 5"]
)
def test_a_file_that_ends_the_shell_is_a_failure_that_names_it(tmp_path: Path, end: str) -> None:
    done = sourcing(tmp_path, f"export A=1\n{end}\n", "echo ran")
    assert done.returncode != 0 and done.stdout == b""
    assert f"{tmp_path}/env.sh ended its shell".encode() in done.stderr


def test_options_of_a_sourced_file_end_with_it(tmp_path: Path) -> None:
    done = sourcing(tmp_path, "set -eu\nA=1\nsay() { echo said $A; }\n", "false; echo $NOT_SET; say; exit 4", B="2")
    assert (done.returncode, done.stdout) == (4, b"\nsaid 1\n")


def test_a_command_keeps_its_stdin_and_its_status(tmp_path: Path) -> None:
    file = tmp_path / "env.sh"
    file.write_text("A=1\n")
    done = bash(command("cat; echo 'it is' \"$A\"; false", RemoteEnvSpec(source_files=(str(file),))), stdin=b"in\n")
    assert (done.returncode, done.stdout) == (1, b"in\nit is 1\n")


def test_a_command_has_the_variables_of_secrets_and_keeps_its_status(tmp_path: Path) -> None:
    file = tmp_path / "variables"
    file.write_bytes(secret_text([("TOKEN", "it's $HOME")]))
    done = bash(command("sh -c 'echo \"$TOKEN\"'; false", RemoteEnvSpec(exports={"A": "1"}), None, [str(file)]))
    assert (done.returncode, done.stdout) == (1, b"it's $HOME\n")


@pytest.mark.parametrize(("env", "printed"), [({}, b"1\n"), ({"PYTHONUNBUFFERED": ""}, b"\n")])
def test_output_is_not_buffered_unless_asked_for(env: dict[str, str], printed: bytes) -> None:
    assert bash(command("echo $PYTHONUNBUFFERED", None), env=env).stdout == printed


def test_the_pinned_python_is_a_variable() -> None:
    assert bash(command("echo $UV_PYTHON", None, "3.12")).stdout == b"3.12\n"
    assert bash(command("echo $UV_PYTHON", None, "3.12"), env={"UV_PYTHON": "3.13"}).stdout == b"3.13\n"


def test_a_secret_is_in_memory_and_its_removal_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key.env"
    for value in (b"one", b"two"):
        assert bash(write_file(str(path), "0640"), stdin=value).returncode == 0
    place = path.readlink()
    assert path.read_bytes() == b"two" and oct(path.stat().st_mode)[-3:] == "640"
    assert str(place).startswith("/dev/shm/runpod-deploy.") and place.exists()
    assert bash(remove_files([str(path)])).returncode == 0
    assert not path.is_symlink() and not place.exists()


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    done = bash(remove_files([str(tmp_path / "folder"), str(tmp_path / "absent")]))
    assert done.returncode == 1 and f"{tmp_path}/folder" in done.stderr.decode()


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    (tmp_path / "key" / "key.part").mkdir()
    (tmp_path / "none").write_text("a file in the way")
    own = f"/dev/shm/runpod-deploy-test-{os.getpid()}."  # other tests write secrets at the same time
    command = write_file(str(tmp_path / "none" / "key"), "0600")
    assert IN_MEMORY in command
    assert bash(command.replace(IN_MEMORY, own), stdin=b"value").returncode != 0
    assert not list(Path("/dev/shm").glob(f"{Path(own).name}*"))
