"""HTTP calls with timeouts, retries and the shared rate limit. Knows HTTP; knows no resource of the API.

What is sent again (RunPod's own retry table, 2026-10): any method after 429 or when nothing was sent; GET and DELETE
also after 5xx, a broken connection or an unreadable page; a POST never, since it may have had its effect. A gateway's
refusal counts as nothing sent.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from urllib.parse import urlencode

from urllib3 import exceptions as failures

from ... import __version__
from ...config.proxies import proxy_for
from ...config.settings import checked_key
from ...errors import AnswerUnclear, CloudUnreachable, ConfigError, DeployError, EdgeRefused, OnRetry
from ...machine.clock import Clock
from ...machine.signals import critical
from .calls import Answer, Call
from .exchange import Exchange, Request
from .pace import Pace
from .refusals import NEVER_SENT, is_final, named_by_text, network_error, refusal

USER_AGENT = f"runpod-deploy/{__version__}"
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUTS_S = {"GET": 12.0, "DELETE": 20.0, "POST": 60.0}
"""How long the API may be silent: short for what can be sent again; a create was seen to take 25 s (2026). One try
takes at most this time and that of connecting, whatever the API does."""
RETRY_WINDOW_S = 25.0
"""How long one failing call is retried; the last try may end its own longest time later."""
RATE_LIMIT_WINDOW_S = 150.0
"""How long one call is retried while the API answers 429."""
FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 8.0
LEAST_S = 10.0
"""The time that a call has even if its caller's time is over: the last look must be possible."""
RATE_LIMIT_PAUSE_S = 5.0
"""After a 429 that names no time."""


class Wire:
    """Sends calls to one origin with one key."""

    connect_timeout_s, read_timeouts_s, least_s = CONNECT_TIMEOUT_S, READ_TIMEOUTS_S, LEAST_S

    def __init__(self, api_key: str, base_url: str, clock: Clock, pace: Pace, on_retry: OnRetry | None) -> None:
        """Nothing is sent yet. Raises AuthRefused for an impossible key, ConfigError for an impossible address."""
        self._base_url = checked_origin(base_url)
        self._clock = clock
        self._pace = pace
        self._on_retry = on_retry
        self._until = math.inf
        self._headers = {
            "Authorization": f"Bearer {checked_key(api_key)}",
            "User-Agent": USER_AGENT,
            "Accept": "application/json, application/problem+json, text/event-stream",
        }
        self._exchange = Exchange(proxy_for(self._base_url))

    @contextmanager
    def bounded(self, within_s: float) -> Iterator[None]:
        """Meanwhile no call, its retries included, ends later than within_s from now, or LEAST_S after it began."""
        earlier, self._until = self._until, min(self._until, self._clock.monotonic() + within_s)
        try:
            yield
        finally:
            self._until = earlier

    def send(self, call: Call, *, not_found_ok: bool = False) -> Answer:
        """A successful answer, or with not_found_ok also the API's 404.

        Raises AnswerUnclear if a call that changes something may have had its effect, else the error that `refusal`
        gives.
        """
        began_at = self._clock.monotonic()
        for pause_s in pauses():
            answer, error, again = self._try(call)
            if error is None or (not_found_ok and answer and answer.not_found):
                assert answer is not None
                return answer
            wait_s = wait_before_next(answer, pause_s)
            if not again or self._clock.monotonic() + wait_s > min(began_at + retry_window_s(answer), self._until):
                raise error
            if self._on_retry is not None:
                self._on_retry(call.what, error, wait_s)
            self._pause(answer, wait_s)
        raise AssertionError("the pauses never end")

    def stream(self, call: Call, *, quiet_s: float, within_s: float) -> bytes:
        """What came of an endless answer until it was quiet for quiet_s or within_s has passed, in seconds.

        Raises as `send` does, but at the first failure: no stream is worth a retry.
        """
        self._wait_for_turn(call)
        try:
            answer = self._exchange.stream(self._request(call, quiet_s), within_s=within_s)
        except failures.HTTPError as failure:
            raise network_error(failure, call.what) from failure
        if answer.status != 200:
            raise refusal(answer, call.what)
        return answer.body

    def _try(self, call: Call) -> tuple[Answer | None, DeployError | None, bool]:
        """The result of one try: answer, error, and whether another try is allowed.

        No signal cuts a call that changes something: nobody would know its effect. Until the caller has recorded the
        answer, nothing else may pass a checkpoint.
        """
        self._wait_for_turn(call)
        with nullcontext() if call.repeatable else critical():
            return self._tried(call)

    def _tried(self, call: Call) -> tuple[Answer | None, DeployError | None, bool]:
        try:
            answer = self._exchange.answer(self._request(call, self.read_timeouts_s[call.method]))
        except NEVER_SENT as failure:
            return None, network_error(failure, call.what), True
        except failures.HTTPError as failure:
            return None, self._no_answer(call, failure), call.repeatable and not is_final(failure)
        self._pace.learn(answer.headers)
        if answer.ok or (call.bare and answer.accepted):
            return answer, None, False
        return answer, error_of(call, answer), may_retry(call, answer)

    def _wait_for_turn(self, call: Call) -> None:
        """The rate limit allows this call. Raises CloudUnreachable and Interrupt as `Pace.wait` does."""

        def say(wait_s: float) -> None:
            if self._on_retry is not None:
                self._on_retry(call.what, CloudUnreachable("all requests of this minute are used up", hint=""), wait_s)

        self._pace.wait(call.rank, say)

    def _request(self, call: Call, silence_s: float) -> Request:
        url = f"{self._base_url}{call.path}" + (f"?{urlencode(call.query)}" if call.query else "")
        body = None if call.body is None else json.dumps(call.body).encode()
        typed = {} if body is None else {"Content-Type": "application/json"}
        return Request(
            method=call.method,
            url=url,
            headers=self._headers | typed,
            body=body,
            connect_s=self.connect_timeout_s,
            silence_s=silence_s,
            at_most_s=max(self.least_s, self._until - self._clock.monotonic()),
        )

    def _no_answer(self, call: Call, failure: failures.HTTPError) -> DeployError:
        error = network_error(failure, call.what)
        if call.repeatable:
            return error
        return AnswerUnclear(f"{error.message}, after the request was sent", hint=error.hint)

    def _pause(self, answer: Answer | None, wait_s: float) -> None:
        """The time is over. After a 429 every process waits, else only this one."""
        if answer is not None and answer.status == 429:
            self._pace.pause_all(wait_s)
        self._clock.sleep(wait_s)


def error_of(call: Call, answer: Answer) -> DeployError:
    """The error that a bad answer to this call means."""
    error = refusal(answer, call.what)
    unclear = answer.status >= 500 or answer.status == 408 or 200 <= answer.status < 300
    if unclear and not call.repeatable:
        problem = AnswerUnclear(error.message, hint=error.hint)
        problem.likely = named_by_text(answer, call.what)
        return problem
    return error


def may_retry(call: Call, answer: Answer) -> bool:
    """Whether the same call may be sent again after this answer."""
    if answer.status == 429 or isinstance(error := refusal(answer, call.what), EdgeRefused):
        return True  # the API has not seen the request
    return call.repeatable and isinstance(error, CloudUnreachable)


def wait_before_next(answer: Answer | None, pause_s: float) -> float:
    """The seconds until the next try: as the answer asks, or else the pause, which is longer after a 429."""
    if answer is None or answer.status != 429:
        return pause_s
    return answer.retry_after_s or max(pause_s, RATE_LIMIT_PAUSE_S)


def retry_window_s(answer: Answer | None) -> float:
    """How long one call is retried while it gets such answers, in seconds."""
    return RATE_LIMIT_WINDOW_S if answer is not None and answer.status == 429 else RETRY_WINDOW_S


def checked_origin(base_url: str) -> str:
    """The address without a slash at its end. Raises ConfigError if no request can be sent there."""
    if not base_url.startswith(("http://", "https://")):
        raise ConfigError(f"{base_url!r} is not an address of the API", hint="RUNPOD_API_BASE_URL starts with https://")
    return base_url.rstrip("/")


def pauses() -> Iterator[float]:
    """The seconds between tries: they double up to a limit, with some randomness so that processes spread out."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.75, 1.25)
        pause_s = min(MAX_PAUSE_S, 2 * pause_s)
