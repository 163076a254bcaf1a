"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# The suite tries the same examples each time, so that a failure is of the change and not of the day; a hunt for new
# ones is `pytest --hypothesis-profile=default`.
settings.register_profile("suite", derandomize=True)
settings.load_profile("suite")
