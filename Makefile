# Thaw: `make run` sets up and opens the dashboard, `make test` sets up and tests.
PYTHON ?= python3
BIN := .venv/bin
# someone who watches sees what is being fetched; a log does not
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check $$([ -t 2 ] || echo --quiet)

# tests with an eye on the clock: kept apart from those that fill all cores
KILLING := tests/faults
SEEING := tests/browser

.PHONY: help setup run stop test slow lint types bench screenshots docs clean

help:  ## what can be done
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.installed  ## install what Thaw needs into .venv (only when requirements.txt changed)

run: setup  ## open the dashboard on http://127.0.0.1:8501
	@$(BIN)/python -m web.serve

stop: setup  ## stop all runs (each saves first) and the engine
	@$(BIN)/python -m engine shutdown

test: setup .venv/.installed-dev lint types  ## lint, types and every test, real-browser ones included
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/pytest -n 2 --dist loadfile --ignore=$(KILLING) --ignore=$(SEEING)
	$(BIN)/pytest -n 2 --dist loadfile $(KILLING)
	$(BIN)/pytest -n 2 --dist loadfile $(SEEING)

slow: setup .venv/.installed-dev  ## the long tests that `make test` leaves out: soaks, repeated kills, every pair of a search (an hour)
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/pytest -m slow --timeout 1200

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-dev
	$(BIN)/mypy

bench: setup  ## the measurements of docs/performance.md; NAME=run_page picks one
	$(BIN)/python -m benchmarks $(NAME)

screenshots: setup .venv/.installed-dev  ## make the pictures of docs/images again
	$(BIN)/python -m docs.screenshots

docs: setup  ## make docs/settings.md and docs/cli.md again from the code
	$(BIN)/python -m docs.reference

clean:  ## remove the environment and caches; the home with your runs stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Thaw needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Python's own venv is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/.installed: requirements.txt | .venv/bin/python
	@echo "Installing what Thaw needs: about 6 GB and two minutes the first time."
	@$(INSTALL) -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt requirements-extra.txt .venv/.installed
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
