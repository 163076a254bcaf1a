"""Rate limits, resets, error pages and slow answers: which calls are sent again, and the error at the end."""

from __future__ import annotations

import pytest

from runpod_deploy import __version__
from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.cloud.runpod.calls import Call
from runpod_deploy.cloud.runpod.pace import Pace
from runpod_deploy.cloud.runpod.wire import MAX_PAUSE_S, RATE_LIMIT_WINDOW_S, RETRY_WINDOW_S, Wire
from runpod_deploy.cloud.values import Candidate, PodRequest
from runpod_deploy.errors import (
    AnswerUnclear,
    AuthRefused,
    BalanceSpent,
    CloudUnreachable,
    ConfigError,
    DeployError,
    EdgeRefused,
    StockOut,
)
from tests.support.fakes.api import Api, Reply, pod_row, problem
from tests.support.fakes.clock import FakeClock

BAD_GATEWAY = Reply(
    502,
    b"<html><head><style>b{}</style></head><body><h1>502 Bad Gateway</h1></body></html>",
    headers={"Content-Type": "text/html"},
)
LIMITED = Reply(429, problem(429, "rate limit exceeded for the minute window").body, headers={"Retry-After": "12"})
RESET = Reply(reset=True)
FINE = Reply(200, pod_row())

ASK = PodRequest(
    name="run-1",
    image="image:1",
    gpu_count=1,
    container_disk_gb=20,
    ports=("22/tcp",),
    env={"A": "1"},
    volume_mount="/workspace",
    volume_gb=20,
)
CANDIDATE = Candidate(gpu_id="NVIDIA L4", datacenter_id="EU-RO-1", cloud_type="SECURE")


def test_every_request_names_us_and_the_key(api: Api, cloud: RunPodCloud) -> None:
    api.replies(FINE)
    cloud.get("5xpma5eg46tqjq")
    assert api.received[0].path == "/v2/pods/5xpma5eg46tqjq"
    assert api.received[0].headers["user-agent"] == f"runpod-deploy/{__version__}"
    assert api.received[0].headers["authorization"] == "Bearer key-of-the-test"


@pytest.mark.parametrize(
    "trouble", [BAD_GATEWAY, LIMITED, RESET, Reply(500, {"detail": "oops"}), Reply(200, b"not json")]
)
def test_a_get_is_retried_after_trouble(
    api: Api, cloud: RunPodCloud, trouble: Reply, retries: list[tuple[str, DeployError, float]]
) -> None:
    api.replies(trouble, trouble, trouble, FINE)
    pod = cloud.get("5xpma5eg46tqjq")
    assert pod is not None and pod.status == "RUNNING"
    assert len(api.received) == 4
    assert [what for what, _, _ in retries] == ["look at pod 5xpma5eg46tqjq"] * 3


@pytest.mark.parametrize(
    "trouble", [BAD_GATEWAY, RESET, Reply(201, b"<html>"), Reply(201, {"pod": "none"}), Reply(408)]
)
def test_a_create_with_an_unclear_answer_is_sent_once(api: Api, cloud: RunPodCloud, trouble: Reply) -> None:
    api.replies(trouble)
    with pytest.raises(AnswerUnclear):
        cloud.create(ASK, CANDIDATE)
    assert len(api.received) == 1


def test_a_create_whose_answer_is_torn_is_unclear(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(201, pod_row(), torn=True))
    with pytest.raises(AnswerUnclear):
        cloud.create(ASK, CANDIDATE)
    assert len(api.received) == 1


def test_a_create_over_the_rate_limit_waits_and_is_sent_again(api: Api, cloud: RunPodCloud, clock: FakeClock) -> None:
    api.replies(LIMITED, LIMITED, Reply(201, pod_row()))
    assert cloud.create(ASK, CANDIDATE).id == "5xpma5eg46tqjq"
    assert len(api.received) == 3
    assert clock.monotonic() >= 24


def test_a_create_that_was_never_sent_is_retried_for_a_while(clock: FakeClock) -> None:
    # Port 9 of loopback: nothing listens there.
    cloud = RunPodCloud("key", "http://127.0.0.1:9", clock)
    with pytest.raises(CloudUnreachable) as caught:
        cloud.create(ASK, CANDIDATE)
    assert not isinstance(caught.value, AnswerUnclear)
    assert RETRY_WINDOW_S - 1.25 * MAX_PAUSE_S <= clock.monotonic() <= RETRY_WINDOW_S
    assert "RUNPOD_API_BASE_URL" in caught.value.hint


@pytest.mark.parametrize(("trouble", "retry_window_s"), [(BAD_GATEWAY, RETRY_WINDOW_S), (LIMITED, RATE_LIMIT_WINDOW_S)])
def test_retries_end(api: Api, cloud: RunPodCloud, clock: FakeClock, trouble: Reply, retry_window_s: float) -> None:
    api.replies(trouble)
    with pytest.raises(CloudUnreachable):
        cloud.get("5xpma5eg46tqjq")
    assert clock.monotonic() <= retry_window_s
    assert len(api.received) > 5


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (problem(400, "There are no longer any instances available with enough disk space."), StockOut, "disk space"),
        (problem(400, "The network volume is in another data center"), ConfigError, "another data center"),
        (problem(401, "missing bearer token"), AuthRefused, "missing bearer token"),
        (problem(402, "Your account balance is too low to rent a pod."), BalanceSpent, "balance is too low"),
        (problem(403, "access denied"), AuthRefused, "access denied"),
        (problem(403, "account cannot access the requested pool"), StockOut, "pool"),
        (problem(404, "template not found"), ConfigError, "template not found"),
        (
            problem(422, "Request validation failed.", errors=["$.disk: is required"]),
            ConfigError,
            "$.disk: is required",
        ),
    ],
)
def test_a_refused_create_says_why_and_is_not_sent_again(
    api: Api, cloud: RunPodCloud, answer: Reply, error: type[DeployError], words: str
) -> None:
    api.replies(answer)
    with pytest.raises(error) as caught:
        cloud.create(ASK, CANDIDATE)
    assert words in caught.value.message
    assert caught.value.hint
    assert len(api.received) == 1


def test_a_slow_answer_is_waited_for(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, pod_row(), after_s=0.5))
    assert cloud.get("5xpma5eg46tqjq") is not None
    assert len(api.received) == 1


class HastyWire(Wire):
    """A wire that waits a fifth of a second."""

    connect_timeout_s = 0.2
    read_timeouts_s = dict.fromkeys(("GET", "DELETE", "POST"), 0.2)


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("DELETE", 2), ("POST", 1)])
def test_an_answer_that_does_not_come_is_not_waited_for(api: Api, clock: FakeClock, method: str, times: int) -> None:
    wire = HastyWire("key", api.url, clock, Pace(clock, None), None)
    api.replies(Reply(200, {}, after_s=0.6), Reply(200, {}))
    call = Call(method=method, path="/v2/pods", what="try", body={} if method == "POST" else None)
    if method == "POST":
        with pytest.raises(AnswerUnclear, match="no answer in time"):
            wire.send(call)
    else:
        assert wire.send(call).document == {}
    assert len(api.received) == times


def test_an_error_page_is_quoted_without_its_markup(api: Api, cloud: RunPodCloud) -> None:
    api.replies(BAD_GATEWAY)
    with pytest.raises(AnswerUnclear) as caught:
        cloud.create(ASK, CANDIDATE)
    assert caught.value.message.endswith("502: 502 Bad Gateway")


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ключ"])
def test_an_impossible_key_is_refused_and_not_shown(key: str, clock: FakeClock) -> None:
    with pytest.raises(AuthRefused) as caught:
        RunPodCloud(key, "http://127.0.0.1:9", clock)
    assert not key or key not in caught.value.message


def test_the_key_is_in_no_error(api: Api, cloud: RunPodCloud) -> None:
    api.replies(problem(401, "unauthorized"))
    with pytest.raises(AuthRefused) as caught:
        cloud.get("pod")
    assert "key-of-the-test" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://", "http://:x"])
def test_an_impossible_address_is_an_error_at_once(url: str, clock: FakeClock) -> None:
    with pytest.raises((ConfigError, CloudUnreachable)) as caught:
        RunPodCloud("key", url, clock).get("pod")
    assert "RUNPOD_API_BASE_URL" in caught.value.hint
    assert clock.monotonic() == 0


@pytest.mark.parametrize("status", [401, 403])
def test_a_create_that_a_gateway_refused_is_sent_again(api: Api, cloud: RunPodCloud, status: int) -> None:
    api.replies(Reply(status, b"error code: 1010"), Reply(status, {"error_code": 1010}), Reply(201, pod_row()))
    assert cloud.create(ASK, CANDIDATE).id == "5xpma5eg46tqjq"
    api.replies(Reply(status, b"error code: 1010"))
    with pytest.raises(EdgeRefused):
        cloud.create(ASK, CANDIDATE)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("create pod: There are no instances currently available", StockOut),
        ("create pod: Your account balance is too low to rent a pod.", BalanceSpent),
    ],
)
def test_a_create_refused_in_words_under_500_may_have_had_its_effect(
    api: Api, cloud: RunPodCloud, words: str, error: type[DeployError]
) -> None:
    api.replies(Reply(500, {"error": words, "status": 500}))
    with pytest.raises(AnswerUnclear) as caught:
        cloud.create(ASK, CANDIDATE)
    assert type(caught.value.likely) is error and words in caught.value.likely.message


def test_a_start_refused_in_words_under_500_is_looked_for(api: Api, cloud: RunPodCloud) -> None:
    full = Reply(500, {"error": "There are not enough free GPUs on the host machine to start this pod"})
    api.replies(full, Reply(200, pod_row(status="EXITED")))
    with pytest.raises(StockOut):
        cloud.start("5xpma5eg46tqjq")
    api.replies(full, Reply(200, pod_row(status="STARTING")))
    assert cloud.start("5xpma5eg46tqjq").status == "STARTING"


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_page_that_shows_the_request_does_not_show_the_key(api: Api, status: int) -> None:
    key = "rpa_" + "K3Y" * 14
    shown = Reply(status, {"detail": f"denied: Authorization: Bearer {key}, and shortened {key[:20]}…"})
    api.replies(shown)
    cloud = RunPodCloud(key, api.url, FakeClock())
    for ask in (lambda: cloud.get("pod"), lambda: cloud.logs("pod", 10, 1.0)):
        with pytest.raises(DeployError) as caught:
            ask()
        assert "K3Y" not in str(caught.value) and "[key]" in str(caught.value)
