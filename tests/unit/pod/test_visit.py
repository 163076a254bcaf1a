"""The ssh of a person on the pod of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.cli.ssh import address_of
from runpod_deploy.cloud.proxy import proxy_urls
from runpod_deploy.cloud.values import Address
from runpod_deploy.errors import UsageError
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.pod.ssh import Connection, Login
from runpod_deploy.pod.visit import Forward, parse_forward, ssh_command, visitor_environment
from runpod_deploy.spec import LifecyclePolicySpec
from tests.support.worlds import Memory, with_job


def test_a_port_is_forwarded_to_this_machine_only() -> None:
    assert parse_forward("6006") == Forward(6006, 6006)
    assert parse_forward("8006:6006").option == "127.0.0.1:8006:127.0.0.1:6006"


@pytest.mark.parametrize("text", ["", "0", "70000", "a", "1:2:3", "6006:", "-1"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a port"):
        parse_forward(text)


def test_without_a_command_a_terminal_gets_a_shell_and_a_script_only_the_ports(tmp_path: Path) -> None:
    login = Login(ssh_dir=tmp_path / "ssh", address=Address(host="h", port=22), host_alias="x")
    connection = Connection(login)
    begin = ["ssh", "-F", str(tmp_path / "ssh" / "config")]
    ports = ["-L", "127.0.0.1:6006:127.0.0.1:6006", "-o", "ExitOnForwardFailure=yes"]
    forwards = [parse_forward("6006")]
    assert ssh_command(connection, (), forwards, folder="/w", terminal=False) == [*begin, *ports, "-N", "pod"]
    shell = ssh_command(connection, (), forwards, folder="/w x", terminal=True)
    assert shell[:-2] == [*begin, *ports, "-t"] and shell[-1].startswith("cd '/w x' ")
    assert ssh_command(connection, ("ls", "|", "wc"), (), folder="/w", terminal=False) == [
        *begin, "-T", "pod", "ls | wc",
    ]  # fmt: skip


def test_the_key_of_the_api_does_not_reach_that_ssh() -> None:
    assert visitor_environment({"RUNPOD_API_KEY": "k", "TERM": "xterm", "PATH": "/bin"}) == {
        "TERM": "xterm", "PATH": "/bin",
    }  # fmt: skip


def test_the_proxy_has_an_address_for_each_http_port() -> None:
    assert proxy_urls("p1", ("22/tcp", "8888/http")) == ("https://p1-8888.proxy.runpod.net",)


@pytest.mark.parametrize(
    ("action", "words"), [("delete", "is gone: it costs nothing"), ("stop", "not running: its status is EXITED")]
)
def test_a_pod_that_is_not_up_says_why(tmp_path: Path, action: str, words: str) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_success=action))  # type: ignore[arg-type]
    carry_out(world.open())
    with pytest.raises(UsageError, match=words):
        address_of(world.open().state, world.dir, world.cloud)


def test_a_run_without_a_pod_says_so(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    with pytest.raises(UsageError, match="has no pod yet"):
        address_of(world.open().state, world.dir, world.cloud)
