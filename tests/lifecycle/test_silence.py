"""Commands that print nothing: their caller is called all the same, and records the silence after five minutes."""

from __future__ import annotations

from pathlib import Path

from runpod_deploy.errors import SetupFailed
from runpod_deploy.machine import proc
from runpod_deploy.phases.commands import ConfiguredCommand, Listener
from runpod_deploy.record.events import CommandSilent
from runpod_deploy.spec import CommandSpec
from tests.support.worlds import Memory


def test_silence_is_told_while_a_child_is_silent() -> None:
    heard: list[bytes] = []
    proc.run(("sh", "-c", "echo one; sleep 1.3; echo two"), timeout_s=20, on_output=heard.append)
    assert [data for data in heard if data] == [b"one\n", b"two\n"]
    assert 1 <= heard.count(b"") <= 3, "about twice a second"


def test_a_silent_command_is_spoken_of_every_five_minutes(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    run = world.open()
    shown: list[bytes] = []
    run.printers.append(lambda source, data: shown.append(data))
    listener = Listener(run, ConfiguredCommand("setup", 0, CommandSpec(command="uv sync"), SetupFailed))
    listener(b"installing\n")
    for _ in range(1300):
        world.clock.advance(0.5)
        listener(b"")
    assert silences(world) == [300.0, 600.0]
    listener(b"done\n")
    world.clock.advance(299.0)
    listener(b"")
    assert len(silences(world)) == 2 and shown == [b"installing\n", b"done\n"]


def silences(world: Memory) -> list[float]:
    return [event.silent_sec for event in world.events if isinstance(event, CommandSilent)]
