"""Scripts whose last commands leave work in the background: the script ends at once, and the work may go on.

Knows what shell text looks like; it only guesses, so its findings are warnings.
"""

from __future__ import annotations

import re

BEHIND = re.compile(r"(?<![&>|<])&\s*(?:disown\b[^&|;]*|done\b|fi\b|\})?\s*(?:#.*)?$")
"""A line that ends with a single `&`, or with one command and that, in a loop."""
DETACHED = re.compile(
    r"\btmux\b(?:\s+-\S+(?:\s+\S+)?)*?\s+(?:new|new-session)\b[^;|&]*\s-\w*d\w*\b"
    r"|\bscreen\b[^;|&]*?\s-(?:\w*dm\w*|\w*d\b[^;|&]*\s-m\b|D\w*m\w*)"
    r"|\bsetsid\s+(?:-\w*f\w*|--fork)\b|\bdaemonize\s|\bsystemd-run\s"
)
TRIVIAL = re.compile(
    r"(?:echo|printf|date|disown|true|:|sleep\s+\d\d?|exit|\w+=\$!|set|ps|done|fi|esac|\}|\))(?=\s|;|$)"
)
"""The beginning of a line that does no work of the job, and waits for none."""
WAITS = re.compile(r"\bwait\b|\bfg\b|\btail\b.*--pid|tmux\s+(?:wait|attach)")


def left_running(body: str) -> tuple[int, str] | None:
    """Offset and text of the last command that a script leaves in the background and does not wait for; else None."""
    found: tuple[int, str] | None = None
    offset = 0
    for line in body.splitlines(keepends=True):
        text = line.strip()
        if WAITS.search(text) and not text.startswith("#"):
            found = None
        elif is_started_behind(text):
            found = offset + len(line) - len(line.lstrip()), text
        elif text and not text.startswith("#") and not TRIVIAL.match(text):
            found = None
        offset += len(line)
    return found


def is_started_behind(text: str) -> bool:
    """Whether the line starts a command and does not wait for it."""
    return not text.startswith("#") and bool(BEHIND.search(text) or DETACHED.search(text))
