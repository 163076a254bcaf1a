# Each target sets up what it needs; nothing has to be installed by hand but python3 with venv, make, git and OpenSSH.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test chaos storm quick mutants coverage live lint audit docs clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: setup
	$(BIN)/python examples/demo.py

test: setup
	$(BIN)/pytest

# The guarantee under attack: N runs are killed, paused and cut off while the cloud fails; then the bill is looked at.
SEED ?= 1
JOBS ?= 3
chaos: setup
	$(BIN)/runpod-sim chaos --cases $(or $(N),40) --seed $(SEED) --jobs $(JOBS)

# The same in memory, with many faults at once and thousands of times as many runs: N histories from SEED on.
storm: setup
	$(BIN)/python -m tests.storm -n $(or $(N),3000) --seed $(SEED) --jobs $(JOBS) --findings storm-findings

# What a change to the core should pass within a minute: unit tests, whole runs in memory, and a small storm.
quick: setup
	$(BIN)/pytest tests/unit tests/lifecycle -n $(JOBS)
	$(BIN)/python -m tests.storm -n $(or $(N),300) --seed $(SEED) --jobs $(JOBS) --findings storm-findings

# N small changes to the decisions about money and pods, by SEED: unit tests, storms and whole runs must catch 90 %.
mutants: setup
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[mutants]'
	$(BIN)/python -m tests.mutants -n $(or $(N),40) --seed $(SEED) --jobs $(JOBS)

# Which lines and branches the fast tests reach, processes that they start included: htmlcov/index.html.
coverage: setup
	rm -rf .coverage .coverage.* htmlcov
	-$(BIN)/coverage run -m pytest -n 0 $(or $(TESTS),tests/unit tests/lifecycle tests/contract tests/storm)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report --include='*/phases/*,*/record/*,*/cloud/removal.py'

# The suite of tests/contract on RunPod itself, with the key in RUNPOD_API_KEY. Costs money, so it asks.
live: setup
	@echo "This rents three of RunPod's cheapest GPUs (0.50 USD/h at most), one after the other, for some minutes each:"
	@echo "about 0.10 USD on the account of your RUNPOD_API_KEY. Every pod is deleted at the end."
	@read -p "Go on? [y/N] " answer && test "$$answer" = y
	RUNPOD_LIVE=1 $(BIN)/pytest tests/contract/test_cloud.py -n 0 -k on_runpod --timeout=1800 --capture=no

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/shellcheck --shell=sh --exclude=SC2015,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154 src/runpod_deploy/pod/scripts/*.sh
	$(BIN)/shellcheck .ci/run recipes/*/*.sh recipes/*/*/*.sh

# Known advisories about the versions that we install, and about the oldest ones that we allow.
audit:
	$(PYTHON) .ci/audit

docs: setup
	$(BIN)/sphinx-build --fail-on-warning --quiet docs site

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
