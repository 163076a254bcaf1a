"""Whether every test that pytest collected has a result: if some have none, the run fails with its own status."""

from __future__ import annotations

from pathlib import Path

import pytest

NOT_ALL_RAN = 70  # pytest's own statuses end at 5
ENDED_BY_ITSELF = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class AllRan:
    """The tests that were collected, and those that have a result; in the process that starts the workers."""

    def __init__(self, status_file: str | None) -> None:
        self.status_file = status_file
        self.collected: set[str] = set()
        self.ran: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.collected |= {item.nodeid for item in session.items}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self.collected |= set(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "setup" or not report.passed:
            self.ran.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The status is known to the caller, also to one that make stands between."""
        asked_to_stop = session.shouldfail or session.config.option.collectonly
        if self.collected - self.ran and session.exitstatus in ENDED_BY_ITSELF and not asked_to_stop:
            session.exitstatus = NOT_ALL_RAN
        if self.status_file:
            Path(self.status_file).write_text(str(int(session.exitstatus)))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        left = self.collected - self.ran
        if left and not config.option.collectonly:
            terminalreporter.write_line(f"{len(left)} of {len(self.collected)} tests never ran, such as {min(left)}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--status-file", help="where to write the exit status, for a caller that make hides it from")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(AllRan(config.option.status_file))
