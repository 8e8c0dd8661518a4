# Everything a developer or CI runs. `make help` lists the targets; each may be run first.

PYTHON ?= python3
VENV := .venv
LOCKER := .cache/lock
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --require-hashes --only-binary :all: --requirement
LINK := $(PIP) install --quiet --no-deps --no-build-isolation --editable .
LOCK := $(LOCKER)/$(notdir $(BIN))/uv pip compile pyproject.toml --quiet --universal \
	--python-version 3.11 --generate-hashes --only-binary :all: \
	--custom-compile-command "make lock" $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help demo setup test server-test page-test lint docs lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/runtime.done  ## show rtgraph on synthetic patients; DATA=folder takes your files
	$(BIN)/rtgraph demo $(if $(DATA),"$(DATA)")

setup: $(VENV)/dev.done  ## make .venv with everything for development; PYTHON=python3.12 chooses one

test: $(VENV)/dev.done  ## run all tests; ARGS="-k name" chooses
	$(BIN)/python -m pytest $(ARGS)

server-test: $(VENV)/dev.done  ## run the tests that need Neo4j
	$(BIN)/python -m pytest -m server $(ARGS)

page-test: $(VENV)/dev.done  ## run the tests that need Chromium
	$(BIN)/python -m pytest -m page $(ARGS)

lint: $(VENV)/dev.done  ## check style and types
	$(BIN)/ruff check
	$(BIN)/mypy

docs: $(VENV)/dev.done  ## write the pages of docs/reference; prints those that have changed
	@$(BIN)/python tools/make_docs.py

lock:  ## pin dependencies in requirements/; ARGS=--upgrade takes the newest of all
	$(PYTHON) -m venv --clear $(LOCKER)
	$(LOCKER)/$(notdir $(BIN))/python -m pip install --quiet uv
	$(LOCK) --group backend --output-file requirements/runtime.txt
	$(LOCK) --group dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	rm -rf $(LOCKER)

clean:  ## stop and remove the demo, then .venv and what tools left behind
	-[ ! -x $(BIN)/rtgraph ] || $(BIN)/rtgraph demo --clean
	rm -rf $(VENV) build dist test-artefacts .hypothesis .mypy_cache .pytest_cache .ruff_cache

# The stamps keep a later `make` from installing again until a lock file or pyproject.toml changes.
$(VENV)/runtime.done: requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and \
	'rtgraph needs Python 3.11 or later; name one, as in: make PYTHON=python3.12 demo')"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) requirements/runtime.txt
	$(LINK)
	@touch $@

$(VENV)/dev.done: requirements/dev.txt $(VENV)/runtime.done
	$(INSTALL) requirements/dev.txt
	@touch $@
