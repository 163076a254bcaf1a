"""The colour of each state, outcome and event. One table, so that a state looks the same everywhere. Knows no rich."""

from __future__ import annotations

COLOURS = {
    "green": ("HIGH", "MEDIUM", "RUNNING", "SETTLED", "OK", "SUCCEEDED"),
    "yellow": ("LOW", "DETACHED", "NOT YET", "SO FAR", "WARNING", "INTERRUPTED"),
    "red": ("NONE", "ERROR", "LEFT"),
}
COLOUR_OF = {state: colour for colour, states in COLOURS.items() for state in states}
BAD_WORDS = ("failed", "killed", "lost", "abandoned", "interrupted", "missing")
GOOD_WORDS = ("completed", "finished", "released", "restored")


def state_colour(state: str) -> str:
    """The colour of a state, a stock level or an outcome; empty for other text."""
    return COLOUR_OF.get(state.upper(), "")


def event_colour(name: str) -> str:
    """Red for trouble, green for success, by the words in the event's name."""
    if any(word in name for word in BAD_WORDS):
        return "red"
    return "green" if any(word in name for word in GOOD_WORDS) else ""


def share_colour(share: float) -> str:
    """The colour for this share of a limit."""
    return "green" if share < 0.7 else "yellow" if share < 0.9 else "red"
