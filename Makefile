# Each target sets up what it needs; nothing has to be installed by hand but python3 with venv, make, git and OpenSSH.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test test-failed test-root test-long test-pythons test-lowest chaos storm quick mutants coverage live
.PHONY: lint lint-shell lint-workflows hooks audit docs package release clean

help: ## print this list
	@awk -F ':.* ## ' '/^[a-z-]+:.* ## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: .venv/ready ## install the product, the simulator and all tools into .venv

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# A newcomer's first command: it installs the product and the simulator only, and says what it does.
demo: $(if $(wildcard .venv/ready),.venv/ready,.venv/demo) ## train a classifier on a simulated cloud: no account, no GPU, no money
	@$(BIN)/python examples/demo.py

.venv/demo: pyproject.toml constraints.txt
	@echo "Making .venv, a Python environment of its own in this folder ..."
	@$(PYTHON) -m venv .venv
	@echo "Installing runpod-deploy and its simulator into it, once ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[sim]'
	@touch $@

test: setup ## the whole suite
	$(BIN)/pytest $(ARGS)

# Tests of real processes on real clocks run beside each other; what failed so must pass alone.
test-failed: setup ## the tests that failed last, one after the other
	$(BIN)/pytest -n 0 --last-failed --last-failed-no-failures none

# OpenSSH's own server lets root log in only if root has started it. What is skipped is named.
test-root: setup ## the tests that need OpenSSH's own server, which only root can start
	@test "$$(id -u)" = 0 || { echo "only root can start it: sudo make test-root"; exit 1; }
	$(BIN)/pytest tests/contract tests/simulator/test_like_openssh.py -rs -n $(JOBS)

test-long: setup ## what installs packages of others for minutes: tools, examples and recipes with their libraries
	$(BIN)/pytest -m long -n $(JOBS)

test-pythons: ## unit tests and whole runs in memory, on every Python from 3.11 on that is here
	JOBS=$(JOBS) .ci/test-pythons

test-lowest: ## the same with the lowest version of every dependency that we allow
	JOBS=$(JOBS) PYTHON=$(PYTHON) .ci/test-lowest

# The guarantee under attack: N runs are killed, paused and cut off while the cloud fails; then the bill is looked at.
SEED ?= 1
JOBS ?= 3
chaos: setup ## kill runs with real processes at every step: N=1000 SEED=3 JOBS=7 KEEP=FOLDER
	$(BIN)/runpod-sim chaos --cases $(or $(N),40) --seed $(SEED) --jobs $(JOBS) $(if $(KEEP),--keep $(KEEP))

# The same in memory, with many faults at once and thousands of times as many runs: N histories from SEED on.
storm: setup ## many faults at once, in memory: N=100000 SEED=1
	$(BIN)/python -m tests.storm -n $(or $(N),3000) --seed $(SEED) --jobs $(JOBS) --findings storm-findings

# What a change to the core should pass within a minute: unit tests, whole runs in memory, and a small storm.
quick: setup ## what a change to the core should pass first, within a minute
	$(BIN)/pytest tests/unit tests/lifecycle -n $(JOBS)
	$(BIN)/python -m tests.storm -n $(or $(N),300) --seed $(SEED) --jobs $(JOBS) --findings storm-findings

# N small changes to the decisions about money and pods, by SEED: unit tests, storms and whole runs must catch 90 %.
mutants: setup ## are the tests any good? small changes to the core that they must catch: N=200 SEED=2
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[mutants]'
	$(BIN)/python -m tests.mutants -n $(or $(N),40) --seed $(SEED) --jobs $(JOBS)

# Which lines and branches the fast tests reach, processes that they start included: htmlcov/index.html.
coverage: setup ## which branches the fast tests reach: htmlcov/index.html
	rm -rf .coverage .coverage.* htmlcov
	-$(BIN)/coverage run -m pytest -n 0 $(or $(TESTS),tests/unit tests/lifecycle tests/contract tests/storm)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report --include='*/phases/*,*/record/*,*/cloud/removal.py'

# The suite of tests/contract on RunPod itself, with the key in RUNPOD_API_KEY. Costs money, so it asks.
live: setup ## the contract tests on RunPod itself; needs a key and costs about 0.10 USD
	@echo "This rents three of RunPod's cheapest GPUs (0.50 USD/h at most), one after the other, for some minutes each:"
	@echo "about 0.10 USD on the account of your RUNPOD_API_KEY. Every pod is deleted at the end."
	@read -p "Go on? [y/N] " answer && test "$$answer" = y
	RUNPOD_LIVE=1 $(BIN)/pytest tests/contract/test_cloud.py -n 0 -k on_runpod --timeout=1800 --capture=no

lint: setup lint-shell lint-workflows ## ruff, mypy --strict, the layers, shellcheck, spelling, the workflows
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell

lint-shell: setup
	$(BIN)/shellcheck --shell=sh --exclude=SC2015,SC2016,SC2030,SC2031,SC2034,SC2153,SC2154 src/runpod_deploy/pod/scripts/*.sh
	$(BIN)/shellcheck .ci/run .ci/test .ci/packages .ci/package .ci/test-lowest .ci/test-pythons recipes/*/*.sh recipes/*/*/*.sh

# The schemas come with the tool. actionlint, a program in Go, also checks expressions; the workflow ci installs it.
lint-workflows: setup
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	@if command -v actionlint; then actionlint; else echo "actionlint: not here, expressions of workflows NOT CHECKED"; fi

hooks: setup ## let git run the quick part of lint before each commit
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[hooks]'
	$(BIN)/pre-commit install

# Known advisories about the versions that we install, and about the oldest ones that we allow.
audit: ## known advisories about the versions that we install
	$(PYTHON) .ci/advisories

docs: setup ## the site, in site/; warnings are errors
	$(BIN)/sphinx-build --fail-on-warning --quiet docs site

# Build the wheel twice and compare, look at what it holds, install it into empty environments, and use it there.
package: setup ## build wheel and sdist into dist/, and try them
	.ci/package

# The checks before a publication: the version has a tag and a dated part in the changelog. Publishes nothing.
release: package ## check that dist/ may be published as this version
	$(BIN)/python .ci/release

clean: ## remove .venv and all caches
	rm -rf .venv .venv-* dist .mypy_cache .ruff_cache .pytest_cache
