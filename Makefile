# make serve   sets everything up and serves the gallery (PORT=5000)
# make test    sets everything up, a Chromium and a Redis too, and runs all tests (FILE=…: those of it)
# make help    lists the rest
#
# Each set-up step leaves a stamp, so that the next run does nothing twice. `make serve` needs no Node.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
export VENV
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
RUN := $(VENV)/.stamp-run
DEV := $(VENV)/.stamp-dev
CHROMIUM := $(VENV)/.stamp-chromium
REDIS := $(VENV)/.stamp-redis
NODE := $(if $(wildcard package.json),node_modules/.stamp)
PACKAGED := pyproject.toml setup.cfg

# The tests that read the source and the documents, and run nothing of either for long.
STATIC_TESTS := tests/test_layers.py tests/test_mirror.py tests/test_code.py tests/test_docs.py \
    tests/test_statements.py
ARGS ?=

PYTEST := $(BIN)/python -m pytest
# Databench is compiled once, also where the environment lets Python keep nothing that it compiled:
# tests start thousands of processes.
COMPILE := $(BIN)/python -m compileall -q databench
# Two processes share the tests: one that has none left takes some of the other's.
TEST_PROCESSES ?= 2
SHARED := $(PYTEST) -n $(TEST_PROCESSES) --dist worksteal
# A run of some tests only says what it left out.
SOME := -p tests.left_out
FAST := not slow and not browser and not process and not bench

.PHONY: help serve test test-browser test-attacks quick check docs format bench simulate soak attack coverage build clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 22

serve: $(RUN)  ## the gallery of demo analyses, at PORT (5000)
	@exec $(BIN)/python -m databench $(ARGS)

# Those of a browser run by themselves: Playwright's loop stays in its thread until the run has ended.
test: $(DEV) $(CHROMIUM) $(REDIS) $(NODE)  ## all tests, or those of FILE
ifdef FILE
	$(PYTEST) $(SOME) -m 'not bench' $(FILE) $(ARGS)
else
	$(COMPILE)
	$(if $(NODE),npm test --silent)
	$(SHARED) -m 'not browser and not bench' $(ARGS)
	$(SHARED) -m 'browser and not bench' $(ARGS)
endif

test-browser: $(DEV) $(CHROMIUM) $(REDIS)  ## the part of make test that drives a Chromium
	$(COMPILE)
	$(SHARED) $(SOME) -m 'browser and not bench' $(ARGS)

test-attacks: $(DEV)  ## the part of make test that attacks a real server
	$(COMPILE)
	$(SHARED) $(SOME) -m 'not bench' tests/attacks $(ARGS)

quick: $(DEV)  ## the fast tests, in about half a minute
	PYTHONDONTWRITEBYTECODE= $(SHARED) $(SOME) -q -m '$(FAST)' $(ARGS)

check: $(DEV) $(NODE)  ## style, types, documents, built files
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(if $(NODE),npm run --silent check)
	$(BIN)/python -m pytest -q $(STATIC_TESTS)

docs: $(DEV)  ## the tables of the documents that are made from the source
	for script in docs/make_*.py; do $(BIN)/python $$script; done

format: $(DEV)  ## lays out the Python code
	$(BIN)/python -m ruff check --fix
	$(BIN)/python -m ruff format

bench: $(DEV)  ## the figures of docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

simulate: $(DEV)  ## worlds full of faults: SEEDS of them (100000), or the one SEED
	@exec $(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100000)) $(ARGS)

soak: $(DEV)  ## a real server under faults: MINUTES (10), PAGES (200), SEED
	@exec $(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) --pages $(or $(PAGES),200) $(if $(SEED),--seed $(SEED)) $(ARGS)

attack: $(DEV)  ## strangers and bad kernels against a real server: ATTACK (all), ATTACK_SECONDS (6)
	@exec $(BIN)/python -m tests.attacks $(ATTACK) --seconds $(or $(ATTACK_SECONDS),6) $(ARGS)

coverage: $(DEV)  ## the fast tests' coverage
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q -m '$(FAST)'
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

build: $(DEV)  ## the wheel and the source archive, in dist/
	$(BIN)/python -m build

clean:  ## removes everything that make made
	rm -rf $(VENV) node_modules build dist *.egg-info htmlcov .coverage .coverage.*
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find databench kernels analyses tests benchmarks docs -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@echo 'databench: making the environment $(VENV)'
	python=$$(.ci/need python) && "$$python" -m venv $(VENV)

# pip's lines are shown: what takes its time is seen to go on.
$(RUN): $(PACKAGED) | $(BIN)/python
	@echo 'databench: setting up $(VENV), once, with what the demos import; it takes about a minute'
	$(BIN)/python -m pip --disable-pip-version-check install --progress-bar off --editable '.[demos]'
	@echo 'databench: $(VENV) is ready'
	@touch $@

$(DEV): $(PACKAGED) | $(BIN)/python
	@echo 'databench: setting up $(VENV) with the tools for tests and checks'
	$(PIP) install --editable '.[dev,fast]'
	@touch $(RUN) $@

$(CHROMIUM): $(DEV)
	.ci/need chromium
	@touch $@

$(REDIS): | $(BIN)/python
	.ci/need redis
	@touch $@

node_modules/.stamp: package.json $(wildcard package-lock.json)
	.ci/need node
	npm ci --no-audit --no-fund --silent
	@touch $@
