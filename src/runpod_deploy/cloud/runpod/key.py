"""What is made from the API key and does not show it: the account's hash and folder, proofs for other machines."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path


def account_hash(api_key: str) -> str:
    """A short hash that is different for each key. It does not show the key."""
    return hashlib.sha256(f"runpod-deploy\n{api_key}".encode()).hexdigest()[:16]


def proof(api_key: str, words: str) -> str:
    """A hash of the words that nobody makes without the key. It does not show the key."""
    return hmac.new(api_key.encode(), f"runpod-deploy proof\n{words}".encode(), "sha256").hexdigest()[:32]


def account_folder(cache_dir: Path | None, api_key: str, base_url: str) -> Path | None:
    """The folder that all processes with this key share; None without a cache folder or if it cannot be made."""
    if cache_dir is None:
        return None
    folder = cache_dir / hashlib.sha256(f"{base_url.rstrip('/')}\n{api_key}".encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder
