# Everything a person or a CI job starts. `make` alone lists the targets.
#
# One virtual environment, .venv, made from hash-locked files. `make demo` and `make run` need Python >= 3.11 and
# GnuPG; `make test` also wants real servers, which .ci/servers installs on Debian when it may.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
PYTEST := timeout --kill-after=30 60m $(BIN)/python -m pytest
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo run test check bench crowd hostile looking soak fuzz rows table tables pictures press build lock servers clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: .venv/runtime.stamp  ## play one case through a real daemon, real SMTP and real keys
	$(BIN)/python -m demo.play

run: .venv/runtime.stamp  ## leave a plain daemon running on loopback (data in var/)
	$(BIN)/mailrouter db upgrade
	$(BIN)/mailrouter serve

test: servers .venv/dev.stamp lint  ## the servers, the linters, then all tests but the long ones
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: .venv/dev.stamp lint  ## the linters and the tests of the repository itself
	$(PYTEST) tests/test_repository.py

.PHONY: lint
lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev.stamp  ## rates and latencies against floors measured in the same run
	$(BIN)/python -m benchmarks.run $(BENCH)

crowd: .venv/dev.stamp  ## 300 vendors in one case: how long the first letters take, and what they cost
	$(BIN)/python -m benchmarks.crowd $(CROWD)

hostile: .venv/dev.stamp  ## what the worst mails cost, and what others notice of them
	$(BIN)/python -m benchmarks.hostile

looking: .venv/dev.stamp  ## what a case with 300 vendors costs to look at
	$(BIN)/python -m benchmarks.looking $(LOOKING)

soak: servers .venv/dev.stamp  ## the long forms: hundreds of kills, hours
	$(BIN)/python -m pytest -m long

fuzz: .venv/dev.stamp  ## the property tests, with far more examples
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -m "hypothesis and not long" -n $(WORKERS)

rows: .venv/dev.stamp  ## which rows of the testbook have a test
	$(BIN)/python -m pytest --rows

table: .venv/dev.stamp  ## the testbook's attacks on signatures, each made anew: what it is taken for, what it must be
	$(BIN)/python -m tests.pgp

tables: .venv/dev.stamp  ## draw the pages of docs/ that are made from code
	$(BIN)/python -m tests.drawn

pictures: .venv/dev.stamp  ## draw docs/*.png, the published site in a real browser
	$(BIN)/python -m tests.press.pictures

press: .venv/dev.stamp  ## how long a site of a thousand notes takes to build, and to build again
	$(BIN)/python -m benchmarks.press $(PRESS)

build: .venv/dev.stamp  ## the wheel and the sdist, into dist/
	$(BIN)/python -m hatchling build

lock: .venv/dev.stamp  ## resolve again and rewrite the three lock files
	$(UV) --upgrade pyproject.toml --output-file requirements.lock
	$(UV) --upgrade --constraint requirements.lock --group build --output-file requirements-build.lock
	$(UV) --upgrade --constraint requirements.lock pyproject.toml --group dev --output-file requirements-dev.lock

servers:
	@.ci/servers

clean:  ## remove what was built (not var/)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@PYTHON=$(PYTHON) .ci/venv

.venv/runtime.stamp: requirements.lock requirements-build.lock pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/runtime.stamp
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
