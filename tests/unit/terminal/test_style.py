"""A state has one colour, wherever it is shown."""

from __future__ import annotations

import pytest

from runpod_deploy.terminal.style import COLOUR_OF, COLOURS, event_colour, share_colour, state_colour


def test_no_state_has_two_colours() -> None:
    assert len(COLOUR_OF) == sum(map(len, COLOURS.values()))


@pytest.mark.parametrize(
    ("state", "colour"), [("succeeded", "green"), ("So far", "yellow"), ("left", "red"), ("NVIDIA L4", ""), ("", "")]
)
def test_states(state: str, colour: str) -> None:
    assert state_colour(state) == colour


def test_events_and_shares() -> None:
    assert [event_colour(name) for name in ("pod_killed_unexpected", "pod_released", "heartbeat")] == [
        "red",
        "green",
        "",
    ]
    assert [share_colour(share) for share in (0.1, 0.8, 1.2)] == ["green", "yellow", "red"]
