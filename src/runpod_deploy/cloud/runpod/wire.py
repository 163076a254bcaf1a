"""Calls that survive the network: timeouts, the policy of trying again, the pace. Knows HTTP, no resource.

The policy (RunPod's own retry table, 2026-10): any method after 429 or when nothing was sent; GET and DELETE
also after 5xx, a broken connection or an unreadable page; a POST never, since it may have had its effect.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions as failures

from ... import __version__
from ...errors import AnswerUnclear, AuthRefused, CloudUnreachable, ConfigError, DeployError, OnRetry
from ...machine.clock import Clock
from .calls import Answer, Call
from .pace import Pace
from .refusals import KEY_HINT, NEVER_SENT, is_final, network_error, refusal

USER_AGENT = f"runpod-deploy/{__version__}"
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUTS_S = {"GET": 12.0, "DELETE": 20.0, "POST": 60.0}
"""What can be asked again is given up soon; a create was seen to take 25 s (2026)."""
FAILING_FOR_S = 25.0
"""How long one call is tried again and again; the last try may end a timeout later."""
LIMITED_FOR_S = 150.0
"""The same while the API only asks to come back later."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
LIMITED_PAUSE_S = 5.0
"""After a 429 that names no time."""


class Wire:
    """Sends calls to one origin with one key."""

    read_timeouts_s = READ_TIMEOUTS_S

    def __init__(self, api_key: str, base_url: str, clock: Clock, pace: Pace, on_retry: OnRetry | None) -> None:
        """Nothing is sent yet. Raises AuthRefused for a key and ConfigError for an address that can be none."""
        self._base_url = origin(base_url)
        self._clock = clock
        self._pace = pace
        self._on_retry = on_retry
        self._headers = {
            "Authorization": f"Bearer {sendable(api_key)}",
            "User-Agent": USER_AGENT,
            "Accept": "application/json, application/problem+json, text/event-stream",
        }
        self._pool = urllib3.PoolManager(retries=False, maxsize=1)

    def send(self, call: Call, *, missing_ok: bool = False) -> Answer:
        """A good answer, or with missing_ok the API's word that there is no such thing.

        Raises AnswerUnclear if a call that changes something may have had its effect, else what `refusal`
        says.
        """
        began_at = self._clock.monotonic()
        for pause_s in pauses():
            answer, error, again = self._try(call)
            if error is None or (missing_ok and answer and answer.missing):
                assert answer is not None
                return answer
            wait_s = wait_before_next(answer, pause_s)
            if not again or self._clock.monotonic() + wait_s > began_at + patience_s(answer):
                raise error
            if self._on_retry is not None:
                self._on_retry(call.what, error, wait_s)
            self._rest(answer, wait_s)
        raise AssertionError("the pauses never end")

    def stream(self, call: Call, *, quiet_s: float, within_s: float) -> Iterator[bytes]:
        """Pieces of an answer that never ends, until it was quiet for so long or so much time has passed.

        Raises as `send` does, at the first failure: what is streamed is never vital.
        """
        self._pace.wait()
        end = self._clock.monotonic() + within_s
        try:
            response = self._request(call, quiet_s, preload_content=False)
            if response.status != 200:
                raise refusal(as_answer(response), call.what)
            while (piece := response.read1()) and self._clock.monotonic() < end:
                yield piece
        except failures.ReadTimeoutError:
            return
        except failures.HTTPError as failure:
            raise network_error(failure, call.what) from failure
        finally:
            # The rest of the stream would never end: its connection cannot be used again.
            self._pool.clear()

    def _try(self, call: Call) -> tuple[Answer | None, DeployError | None, bool]:
        """What came of one try: answer, error, and whether another try is allowed."""
        self._pace.wait()
        try:
            answer = as_answer(self._request(call, self.read_timeouts_s[call.method]))
        except NEVER_SENT as failure:
            return None, network_error(failure, call.what), True
        except failures.HTTPError as failure:
            return None, self._unanswered(call, failure), call.repeatable and not is_final(failure)
        self._pace.learn(answer.headers)
        if answer.good:
            return answer, None, False
        return answer, judged(call, answer), may_repeat(call, answer)

    def _request(self, call: Call, read_timeout_s: float, **options: Any) -> urllib3.BaseHTTPResponse:
        url = f"{self._base_url}{call.path}" + (f"?{urlencode(call.query)}" if call.query else "")
        options |= {"redirect": False, "timeout": urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s)}
        headers = self._headers
        if call.body is not None:
            options["body"] = json.dumps(call.body).encode()
            headers = headers | {"Content-Type": "application/json"}
        return self._pool.request(call.method, url, headers=headers, **options)

    def _unanswered(self, call: Call, failure: failures.HTTPError) -> DeployError:
        error = network_error(failure, call.what)
        if call.repeatable:
            return error
        return AnswerUnclear(f"{error.message}, after the request was sent", hint=error.hint)

    def _rest(self, answer: Answer | None, wait_s: float) -> None:
        """After a 429 everybody rests, else only this process."""
        if answer is not None and answer.status == 429:
            self._pace.hold(wait_s)
        self._clock.sleep(wait_s)


def judged(call: Call, answer: Answer) -> DeployError:
    """The error that a bad answer to this call means."""
    error = refusal(answer, call.what)
    unclear = answer.status >= 500 or answer.status == 408 or 200 <= answer.status < 300
    if unclear and not call.repeatable:
        return AnswerUnclear(error.message, hint=error.hint)
    return error


def may_repeat(call: Call, answer: Answer) -> bool:
    """Whether the policy allows the same call after this answer."""
    if answer.status == 429:
        return True
    return call.repeatable and isinstance(refusal(answer, call.what), CloudUnreachable)


def wait_before_next(answer: Answer | None, pause_s: float) -> float:
    """Seconds until the next try: as the answer asks, or else the pause; a moment longer after a 429."""
    if answer is None or answer.status != 429:
        return pause_s
    return answer.retry_after_s or max(pause_s, LIMITED_PAUSE_S)


def patience_s(answer: Answer | None) -> float:
    """How long such answers are borne in one call."""
    return LIMITED_FOR_S if answer is not None and answer.status == 429 else FAILING_FOR_S


def origin(base_url: str) -> str:
    """The address without a slash at its end. Raises ConfigError if no request can be sent there."""
    if not base_url.startswith(("http://", "https://")):
        raise ConfigError(f"the API's address {base_url!r} is none", hint="RUNPOD_API_BASE_URL starts with https://")
    return base_url.rstrip("/")


def sendable(api_key: str) -> str:
    """The key, if it can be one at all. Raises AuthRefused; the message does not show it."""
    if not api_key:
        raise AuthRefused("there is no RunPod API key", hint=KEY_HINT)
    if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        raise AuthRefused("the RunPod API key holds spaces or characters that no key has", hint=KEY_HINT)
    return api_key


def pauses() -> Iterator[float]:
    """Seconds between tries: doubling up to a limit, and a little random so that many processes drift apart."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.75, 1.25)
        pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)


def as_answer(response: urllib3.BaseHTTPResponse) -> Answer:
    """The response as a value."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status, headers=headers, body=response.data)
