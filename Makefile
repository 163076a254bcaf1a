# Each target sets up what it needs; nothing has to be installed by hand but python3 with venv, make, git and OpenSSH.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test lint docs clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: setup
	$(BIN)/python examples/demo.py

test: setup
	$(BIN)/pytest

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/shellcheck --shell=sh src/runpod_deploy/podside/*.sh

docs: setup
	$(BIN)/sphinx-build --fail-on-warning --quiet docs site

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
