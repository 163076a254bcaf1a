"""Which proxy is between this machine and an address."""

from __future__ import annotations

import pytest

from runpod_deploy.config.proxies import Proxy, proxy_for
from runpod_deploy.errors import ConfigError

API = "https://api.runpod.io/v2"


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "https://proxy"}, "https://proxy:443"),
        ({"https_proxy": "http://small", "HTTPS_PROXY": "http://large"}, "http://small:80"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"ALL_PROXY": "http://[::1]:3128"}, "http://[::1]:3128"),
        ({"HTTPS_PROXY": " "}, None),
    ],
)
def test_the_variables(environ: dict[str, str], address: str | None) -> None:
    found = proxy_for(API, environ)
    assert (found.address if found else None) == address


@pytest.mark.parametrize(
    ("exceptions", "url", "direct"),
    [
        ("api.runpod.io", API, True),
        ("runpod.io", API, True),
        (".runpod.io", API, True),
        ("*.runpod.io", API, True),
        ("other.example, runpod.io", API, True),
        ("*", API, True),
        ("pod.io", API, False),
        ("api.runpod.io:8443", API, False),
        ("api.runpod.io:8443", "https://api.runpod.io:8443", True),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/99", "https://10.1.2.3", False),
        ("", "https://127.0.0.1:9", True),
        ("", "https://localhost", True),
        (",,", API, False),
    ],
)
def test_hosts_that_need_none(exceptions: str, url: str, direct: bool) -> None:
    assert (proxy_for(url, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": exceptions}) is None) is direct


def test_a_login_is_decoded_and_not_shown() -> None:
    found = proxy_for(API, {"HTTPS_PROXY": "http://me:p%40ss@proxy:1"})
    assert found == Proxy("http://proxy:1", "me:p@ss")
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize("value", ["socks5://me:secret@proxy:1", "http://", "http://proxy:seven", "http://[::1"])
def test_a_proxy_that_cannot_be_used(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        proxy_for(API, {"HTTPS_PROXY": value})
    assert "secret" not in str(caught.value)
