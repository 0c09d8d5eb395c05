# Thaw: `make run` sets up and opens the dashboard, `make test` sets up and tests.
export PYTHON ?= python3
ENV ?= .venv
BIN = $(ENV)/bin
CONSTRAINTS ?= constraints.txt
FALL_BACK = $(if $(filter constraints.txt,$(CONSTRAINTS)),--fall-back)
FOR_RUNS := requirements.txt
FOR_TESTS := $(FOR_RUNS) requirements-dev.txt requirements-extra.txt
OLDEST := 's/^([A-Za-z-]+)(\[[a-z]+\])?>=([^, ]+).*/\1==\3/p'

# tests with an eye on the clock: kept apart from those that fill all cores
KILLING := tests/faults
SEEING := tests/browser
PARALLEL := -n 2 --dist loadfile
QUICK = $(PARALLEL) -m 'not slow and not process' --ignore=$(SEEING) --ignore=$(KILLING) --ignore=tests/flows

.PHONY: help setup setup-tests run stop test quick slow lint types coverage floor oldest latest constraints hooks bench \
	screenshots docs clean

help:  ## what can be done
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:  ## bring .venv up to date: the versions of constraints.txt, the command .venv/bin/thaw
	@tools/environment $(FALL_BACK) $(ENV) "$(CONSTRAINTS)" installed $(FOR_RUNS)

setup-tests: setup
	@tools/environment $(FALL_BACK) $(ENV) "$(CONSTRAINTS)" installed-dev $(FOR_TESTS)

run: setup  ## open the dashboard on http://127.0.0.1:8501
	@$(BIN)/python -m web.serve

stop: setup  ## stop all runs (each saves first) and the engine
	@$(BIN)/python -m engine shutdown

test: lint types  ## lint, types and every test, real-browser ones included
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/pytest $(PARALLEL) --ignore=$(KILLING) --ignore=$(SEEING)
	$(BIN)/pytest $(PARALLEL) $(KILLING)
	$(BIN)/pytest $(PARALLEL) $(SEEING)

quick: setup-tests  ## the tests that start no processes and no browser: for each change
	$(BIN)/pytest $(QUICK)

slow: setup-tests  ## the long tests that `make test` leaves out: soaks, repeated kills, every pair of a search (an hour)
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/pytest -m slow --timeout 1200

lint: setup-tests  ## ruff and codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: setup-tests  ## mypy
	$(BIN)/mypy --cache-dir $(if $(filter .venv,$(ENV)),,$(ENV)/).mypy_cache

coverage: setup-tests  ## which code the tests reach, processes of the engine included: makes docs/coverage.md again
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL) --ignore=$(KILLING) --ignore=$(SEEING)
	$(BIN)/coverage run -m pytest $(PARALLEL) $(KILLING)
	$(BIN)/coverage combine --quiet
	$(BIN)/python -m docs.coverage

floor: setup-tests  ## coverage of `make quick` alone, which may not fall below fail_under of pyproject.toml
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(QUICK)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --format=total

oldest:  ## lint, types and quick tests with the oldest versions that requirements allow, in an environment of its own
	@sed -nE $(OLDEST) $(FOR_TESTS) > .venv-oldest.txt
	$(MAKE) lint types quick ENV=.venv-oldest CONSTRAINTS=.venv-oldest.txt

latest:  ## the same with the newest
	@rm -f .venv-latest/.installed*
	$(MAKE) lint types quick ENV=.venv-latest CONSTRAINTS=

constraints:  ## make constraints.txt again: the newest versions that requirements allow (then: make test)
	@rm -rf .venv-latest
	@tools/environment .venv-latest "" installed-dev $(FOR_TESTS)
	@tools/versions .venv-latest > constraints.txt.new && mv constraints.txt.new constraints.txt

hooks: setup-tests  ## have git check each commit: the same lint and types as here
	@$(BIN)/pre-commit install

bench: setup  ## the measurements of docs/performance.md; NAME=run_page picks one
	$(BIN)/python -m benchmarks $(NAME)

screenshots: setup-tests  ## make the pictures of docs/images again
	$(BIN)/python -m docs.screenshots

docs: setup  ## make docs/settings.md and docs/cli.md again from the code
	$(BIN)/python -m docs.reference

clean:  ## remove environments and caches; the home with your runs stays
	rm -rf .venv .venv-oldest .venv-oldest.txt .venv-latest .mypy_cache .ruff_cache .pytest_cache .coverage* *.egg-info
