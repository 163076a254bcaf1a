"""Each method of the client: the request that it sends and the value that it returns."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from runpod_deploy.cloud.runpod import RunPodCloud
from runpod_deploy.errors import AnswerUnclear, AuthRefused, CloudUnreachable, ConfigError, StockOut
from tests.support.fakes.api import Api, Reply, pod_row, problem
from tests.support.fakes.clock import FakeClock

VOLUMES = [
    {"id": "vol1", "name": "data", "size": 50, "dataCenter": "EU-RO-1", "type": "STANDARD"},
    {"id": "vol2", "name": "twice", "size": 50, "dataCenter": "EU-RO-1", "type": "STANDARD"},
    {"id": "vol3", "name": "twice", "size": 50, "dataCenter": "US-TX-3", "type": "STANDARD"},
]


def test_find_gives_the_pods_of_that_name_newest_first(api: Api, cloud: RunPodCloud) -> None:
    old = pod_row(id="old", name="run-1", createdAt="2026-08-20T06:00:00Z")
    new = pod_row(id="new", name="run-1", createdAt="2026-08-21T06:00:00Z")
    api.replies(Reply(200, {"pods": [old, pod_row(id="other"), new]}))
    assert [pod.id for pod in cloud.find("run-1")] == ["new", "old"]


def test_find_goes_by_the_token_and_not_by_the_name(api: Api, cloud: RunPodCloud) -> None:
    marked = {"RUNPOD_DEPLOY_RUN_TOKEN": "ours"}
    rows = [
        pod_row(id="renamed", name="something else", env=marked),
        pod_row(id="foreign", name="run-1", env={"RUNPOD_DEPLOY_RUN_TOKEN": "another run's"}),
        pod_row(id="by_hand", name="run-1"),
    ]
    api.replies(Reply(200, {"pods": rows}), problem(404, "pod not found"))
    assert [pod.id for pod in cloud.find("run-1", "ours")] == ["renamed"]
    assert [pod.id for pod in cloud.find("run-1")] == ["by_hand"], "a run without a token has only its name"


def test_a_listing_that_hides_the_environment_does_not_hide_the_pod(api: Api, cloud: RunPodCloud) -> None:
    whole = pod_row(id="bare", name="run-1", env={"RUNPOD_DEPLOY_RUN_TOKEN": "ours"})
    api.replies(Reply(200, {"pods": [pod_row(id="bare", name="run-1", env=None)]}), Reply(200, whole))
    assert [pod.id for pod in cloud.find("run-1", "ours")] == ["bare"]


def test_a_list_is_read_to_its_last_page(api: Api, cloud: RunPodCloud) -> None:
    more = {"nextCursor": "c/2=", "hasNextPage": True}
    done = {"nextCursor": None, "hasNextPage": False}
    api.replies(
        Reply(200, {"pods": [pod_row(id="one")], "pagination": more}),
        Reply(200, {"pods": [pod_row(id="two")], "pagination": done}),
    )
    assert {pod.id for pod in cloud.list_pods()} == {"one", "two"}
    assert parse_qs(urlsplit(api.received[1].path).query)["cursor"] == ["c/2="]


def test_a_list_without_an_end_is_nonsense(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, {"pods": [], "pagination": {"nextCursor": "again", "hasNextPage": True}}))
    with pytest.raises(CloudUnreachable, match="no end"):
        cloud.list_pods()


@pytest.mark.parametrize("body", [{}, {"pods": None}, {"pods": "none"}, {"pods": [1]}])
def test_a_page_without_a_list_is_no_empty_list(api: Api, cloud: RunPodCloud, body: object) -> None:
    api.replies(Reply(200, body))
    with pytest.raises(CloudUnreachable):
        cloud.find("run-1")


@pytest.mark.parametrize("answer", [problem(404, "pod not found"), Reply(200, pod_row(status="TERMINATED"))])
def test_a_pod_that_is_gone_is_none(api: Api, cloud: RunPodCloud, answer: Reply) -> None:
    api.replies(answer)
    assert cloud.get("gone") is None
    assert len(api.received) == 1


@pytest.mark.parametrize("answer", [Reply(404, b"<html>404</html>"), problem(404, "The requested path was not found.")])
def test_an_unknown_page_does_not_mean_that_the_pod_is_gone(api: Api, cloud: RunPodCloud, answer: Reply) -> None:
    api.replies(answer)
    with pytest.raises((CloudUnreachable, ConfigError)):
        cloud.get("alive")


def test_a_new_status_is_kept(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, pod_row(status="HIBERNATING")))
    pod = cloud.get("5xpma5eg46tqjq")
    assert pod is not None and pod.status == "HIBERNATING"


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [(Reply(204), True), (Reply(200), True), (problem(404, "pod not found"), False), (problem(410, "gone"), False)],
)
def test_delete_says_whether_it_was_accepted(api: Api, cloud: RunPodCloud, answer: Reply, accepted: bool) -> None:
    api.replies(answer)
    assert cloud.delete("5xpma5eg46tqjq") is accepted
    assert [(request.method, request.path) for request in api.received] == [("DELETE", "/v2/pods/5xpma5eg46tqjq")]


def test_delete_is_sent_again_after_a_lost_answer(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(reset=True), Reply(502, b"<html>"), problem(404, "pod not found"))
    assert not cloud.delete("5xpma5eg46tqjq"), "the first may have done it, but nobody has said so"
    assert len(api.received) == 3


def test_stop_accepts_with_a_pod_that_is_stopped(api: Api, cloud: RunPodCloud) -> None:
    api.replies(problem(409, "action stop is not valid for status EXITED"), Reply(200, pod_row(status="EXITED")))
    assert cloud.stop("5xpma5eg46tqjq")
    assert api.received[0].json == {"action": "stop"}


@pytest.mark.parametrize(
    ("answers", "accepted"),
    [
        ((Reply(200),), True),
        ((problem(404, "pod not found"),), False),
        ((problem(409, "no such action"), problem(404, "pod not found")), None),
    ],
)
def test_stop_says_whether_it_was_accepted(
    api: Api, cloud: RunPodCloud, answers: tuple[Reply, ...], accepted: bool | None
) -> None:
    api.replies(*answers)
    if accepted is None:
        with pytest.raises(ConfigError):
            cloud.stop("5xpma5eg46tqjq")
    else:
        assert cloud.stop("5xpma5eg46tqjq") is accepted


def test_stop_says_so_when_the_pod_goes_on_running(api: Api, cloud: RunPodCloud) -> None:
    api.replies(problem(409, "pod is locked"), Reply(200, pod_row()))
    with pytest.raises(ConfigError, match="pod is locked"):
        cloud.stop("5xpma5eg46tqjq")


@pytest.mark.parametrize(
    "answer",
    [
        problem(400, "There are not enough free GPUs on the host machine to start this pod"),
        problem(404, "pod not found"),
    ],
)
def test_start_says_stock_out_when_only_a_fresh_pod_can_help(api: Api, cloud: RunPodCloud, answer: Reply) -> None:
    api.replies(answer)
    with pytest.raises(StockOut):
        cloud.start("5xpma5eg46tqjq")


@pytest.mark.parametrize(
    "answer", [problem(409, "action start is not valid"), Reply(reset=True), Reply(502, b"<html>")]
)
def test_start_accepts_with_a_pod_that_is_up(api: Api, cloud: RunPodCloud, answer: Reply) -> None:
    api.replies(answer, Reply(200, pod_row(status="STARTING")))
    assert cloud.start("5xpma5eg46tqjq").status == "STARTING"
    assert [request.method for request in api.received] == ["POST", "GET"]


def test_a_start_without_an_answer_is_unclear(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(reset=True), Reply(200, pod_row(status="EXITED")))
    with pytest.raises(AnswerUnclear):
        cloud.start("5xpma5eg46tqjq")


def test_a_volume_is_found_by_its_one_name(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, {"networkVolumes": VOLUMES}))
    assert cloud.volume("data") == ("vol1", "EU-RO-1")
    with pytest.raises(ConfigError, match="vol2 in EU-RO-1, vol3 in US-TX-3"):
        cloud.volume("twice")
    with pytest.raises(ConfigError) as caught:
        cloud.volume("nothing")
    assert "data, twice, twice" in caught.value.hint


def test_the_balance_comes_from_the_one_graphql_query(api: Api, cloud: RunPodCloud) -> None:
    api.replies(Reply(200, {"data": {"myself": {"clientBalance": 12.5, "currentSpendPerHr": 0.7, "spendLimit": 80}}}))
    assert cloud.balance().balance_usd == 12.5
    assert api.received[0].path == "/graphql"
    withheld = {"errors": [{"message": "Unauthorized", "path": ["myself"]}], "data": {"myself": None}}
    api.replies(Reply(200, withheld))
    with pytest.raises(AuthRefused, match="Unauthorized"):
        cloud.balance()


def test_without_a_cache_folder_only_the_sharing_is_lost(api: Api, clock: FakeClock, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    api.replies(Reply(200, {"pods": [pod_row()]}))
    assert RunPodCloud("key", api.url, clock, cache_dir=blocked / "cache").find("probe")


def test_a_list_of_millions_of_empty_rows_is_nonsense(api: Api, cloud: RunPodCloud) -> None:
    more = {"nextCursor": "more", "hasNextPage": True}
    api.replies(Reply(200, {"pods": [{} for _ in range(30_000)], "pagination": more}))
    with pytest.raises(CloudUnreachable, match="no end"):
        cloud.list_pods()
    assert len(api.received) == 1
