"""The site's own search, in a browser: what people type leads to the page that answers it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, as Debian has it")
FIRST = 5
"""Nobody looks further down the list."""
FINISHED = """/Search finished|did not match/.test(document.querySelector('#search-results')?.textContent ?? '')"""
RESULTS = "[...document.querySelectorAll('#search-results li a')].map(link => link.href)"
WANTED = {
    "Weights & Biases": "recipes/weights-and-biases",
    "wandb": "recipes/weights-and-biases",
    "Hugging Face": "recipes/huggingface",
    "huggingface": "recipes/huggingface",
    "HF_TOKEN": "recipes/huggingface",
    "TensorBoard": "look-inside",
    "Jupyter": "look-inside",
    "Stop a run": "stop-a-run",
    "Several GPUs": "several-gpus",
    "torchrun": "several-gpus",
    "Spot": "spot",
    "Windows": "windows",
    "WSL": "windows",
    "Notifications": "notifications",
    "Slack": "notifications",
    "Costs": "costs",
    "gallery": "examples",
    "SkyPilot": "comparison",
    "dstack": "comparison",
    "Modal": "comparison",
    "cost-reconciliation": "recipes/cost-reconciliation",
    "predictions-only-eval": "recipes/predictions-only-eval",
    "embed-deploy-metadata": "recipes/embed-deploy-metadata",
    "reproducibility": "recipes/reproducibility",
    "flash-attention": "recipes/flash-attention-fallback",
    "stale pod": "recipes/stale-pod-audit",
    "stock-out": "recipes/stock-out-diagnostic",
    "sweep": "recipes/sweep",
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def found(browser: Browser, site: Path, words: str) -> list[str]:
    """The pages that a search for these words lists, best first."""
    browser.go_to(f"{(site / 'search.html').as_uri()}?q={quote(words)}")
    while not browser.value(FINISHED):
        time.sleep(0.05)
    links = browser.value(RESULTS)
    base = f"{site.as_uri()}/"
    return [link.removeprefix(base).partition(".html")[0] for link in links]


def test_each_word_leads_to_its_page(browser: Browser, site: Path) -> None:
    listed = {words: found(browser, site, words)[:FIRST] for words in WANTED}
    assert {words: listed[words] for words, page in WANTED.items() if page not in listed[words]} == {}


def test_a_word_that_is_nowhere_is_found_nowhere(browser: Browser, site: Path) -> None:
    assert found(browser, site, "xyzzyplugh") == []
