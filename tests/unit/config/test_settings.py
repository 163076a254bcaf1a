"""Where the key and the address come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.config.settings import Settings, read_settings
from runpod_deploy.errors import AuthRefused, ConfigError


@pytest.fixture
def toml(home: Path) -> Path:
    """The file of the official tools."""
    path = home / ".runpod" / "config.toml"
    path.parent.mkdir()
    return path


@pytest.mark.parametrize(
    "text",
    [
        'apikey = "k1"\nrestApiUrl = "x"\n',
        "[default]\napi_key = 'k1'\n",
        'apiKey = " k1 "',
        'apikey = ""\n[default]\napi_key = "k1"',
        '[default]\napikey = "k1"\n[other]\napikey = "k2"',
        '[work]\nrestApiUrl = "x"\n[work.account]\napikey = "k1"',
        '[a]\napikey = "k2"\n[default]\napi_key = "k1"',
    ],
)
def test_both_layouts_of_the_file_are_read(toml: Path, text: str) -> None:
    toml.write_text(text)
    assert read_settings({}).api_key == "k1"


def test_the_environment_wins(toml: Path) -> None:
    toml.write_text('apikey = "k1"')
    assert read_settings({"RUNPOD_API_KEY": "k2\n"}).api_key == "k2"


def test_a_missing_key_is_told_only_when_it_is_needed(home: Path) -> None:
    settings = read_settings({})
    assert settings.api_base_url == "https://api.runpod.io/v2"
    with pytest.raises(AuthRefused) as caught:
        _ = settings.api_key
    assert caught.value.exit_code == 4
    assert "RUNPOD_API_KEY" in caught.value.hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/v2/"])
def test_addresses_hang_on_the_origin(home: Path, url: str) -> None:
    settings = read_settings({"RUNPOD_API_BASE_URL": url})
    assert settings.api_base_url == "http://127.0.0.1:8080/v2"
    assert settings.graphql_url == "http://127.0.0.1:8080/graphql"


def test_the_key_never_shows(toml: Path) -> None:
    assert "secret" not in repr(Settings("very-secret"))
    toml.write_text("apikey = very-secret-without-quotes")
    with pytest.raises(ConfigError) as caught:
        read_settings({})
    assert "very-secret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("key", ["käy", "a\nb", "a\x00b"])
def test_a_key_that_cannot_be_one_is_refused(home: Path, key: str) -> None:
    with pytest.raises(AuthRefused):
        read_settings({"RUNPOD_API_KEY": key})


@pytest.mark.parametrize("url", ["ftp://x", "nonsense", "http://", "http://[::1"])
def test_an_address_that_is_none_is_refused(home: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="is not an address"):
        read_settings({"RUNPOD_API_BASE_URL": url})


@pytest.mark.parametrize(
    "url", ["http://api.runpod.io", "http://10.0.0.1", "http://127.0.0.1@evil.example", "http://localhost.example"]
)
def test_a_key_is_not_sent_in_clear_to_another_machine(home: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="could read the API key") as caught:
        read_settings({"RUNPOD_API_BASE_URL": url})
    assert "RUNPOD_API_INSECURE=1" in caught.value.hint
    assert read_settings({"RUNPOD_API_BASE_URL": url, "RUNPOD_API_INSECURE": "1"}).origin == url


@pytest.mark.parametrize("url", ["http://localhost:8080", "http://127.0.0.2", "http://[::1]:80", "https://10.0.0.1"])
def test_an_address_of_this_machine_needs_no_tls(home: Path, url: str) -> None:
    assert read_settings({"RUNPOD_API_BASE_URL": url}).origin == url
