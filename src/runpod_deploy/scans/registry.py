"""The image's tag at Docker Hub: a pod with a tag that does not exist is billed and never starts.

Asks Docker Hub's HTTP API (`/v2/repositories/<namespace>/<name>/tags/<tag>`, docs.docker.com, 2026-11). If it does not
answer, that is a note, never an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import urllib3

from ..cloud.runpod.exchange import Exchange, Request
from ..config import Draft, Finding
from ..config.proxies import proxy_for

HUB_URL = "https://hub.docker.com"
HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io")
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Image:
    """The parts of an image reference."""

    registry: str
    repository: str
    tag: str
    """Empty if the image is given by its digest."""


def check_image(draft: Draft, hub_url: str = HUB_URL) -> Finding:
    """A warning if the tag does not exist, else a note about the result."""
    image = parse_image(draft.trial.job.pod.image)
    loc = ("pod", "image")
    if image.registry not in HUB_HOSTS:
        return draft.document.finding(loc, f"not checked: {image.registry} is not Docker Hub", level="note")
    if not image.tag:
        return draft.document.finding(loc, "not checked: the image is given by its digest", level="note")
    status = ask(hub_url, image)
    if status == 404:
        message = f"Docker Hub has no {image.repository}:{image.tag}"
        hint = "a pod with it would be billed and never start; is the repository private?"
        return draft.document.finding(loc, message, level="warning", hint=hint)
    message = f"Docker Hub has {image.repository}:{image.tag}" if status == 200 else f"not checked: {status}"
    return draft.document.finding(loc, message, level="note")


def ask(hub_url: str, image: Image) -> int | str:
    """The HTTP status of the tag's page, or the reason why there is no answer."""
    path = f"/v2/repositories/{quote(image.repository)}/tags/{quote(image.tag, safe='')}"
    try:
        request = Request(
            method="HEAD",
            url=hub_url.rstrip("/") + path,
            headers={"User-Agent": "runpod-deploy"},
            connect_s=TIMEOUT_S,
            silence_s=TIMEOUT_S,
        )
        status = Exchange(proxy_for(hub_url)).answer(request).status
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        return f"Docker Hub could not be reached ({type(error).__name__})"
    return status if status in (200, 404) else f"Docker Hub answered {status}"


def parse_image(text: str) -> Image:
    """The parts of an image reference. The default registry is Docker Hub, the default tag `latest`."""
    name, at, _ = text.partition("@")
    first, slash, rest = name.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if is_host else ("docker.io", name)
    repository, colon, tag = path.partition(":")
    if registry in HUB_HOSTS and "/" not in repository:
        repository = f"library/{repository}"
    return Image(registry, repository, "" if at else (tag if colon else "latest"))
