# Everything a developer or CI runs. `make help` lists the targets; each may be run first.

PYTHON ?= python3
VENV := .venv
LOCKER := .cache/lock
BENCH := .cache/bench
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-compile --require-hashes --only-binary :all: --requirement
LINK := $(PIP) install --quiet --no-deps --no-build-isolation --editable .
LOCK := $(LOCKER)/$(notdir $(BIN))/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --only-binary :all: --custom-compile-command "make lock" $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help demo setup test server-test page-test lint docs lock clean conformance acceptance \
	bench bench-masks bench-levels bench-corpus bench-ingest bench-store bench-checks bench-layout \
	bench-archive bench-rosamllib

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/runtime.done  ## show rtgraph on synthetic patients; DATA=folder takes your files
	$(BIN)/rtgraph demo $(if $(DATA),"$(DATA)")

setup: $(VENV)/dev.done  ## make .venv with everything for development; PYTHON=python3.12 chooses one

# The long files come first, the many short ones of tests/unit last, so that all processes end together.
test: $(VENV)/dev.done  ## run all tests, JOBS=2 at a time; ARGS="-k name" chooses
	$(BIN)/python -m pytest --numprocesses $(or $(JOBS),logical --maxprocesses 4) \
		--dist loadfile --no-loadscope-reorder $(ARGS)

server-test: $(VENV)/dev.done  ## run the tests that need Neo4j
	$(BIN)/python -m pytest -m server $(ARGS)

page-test: $(VENV)/dev.done  ## run the tests that need Chromium
	$(BIN)/python -m pytest -m page $(ARGS)

lint: $(VENV)/dev.done  ## check style and types
	$(BIN)/ruff check
	$(BIN)/mypy

docs: $(VENV)/dev.done  ## write the pages that are made from the code; prints those that have changed
	@$(BIN)/python tools/make_docs.py

acceptance: $(VENV)/dev.done $(VENV)/runtime.done  ## let nnU-Net and MONAI read exports, in an environment of their own
	$(BIN)/python -m tools.acceptance $(or $(OUT),acceptance) $(ARGS)

conformance: $(VENV)/dev.done  ## print masks, doses and DVHs beside their analytic truth
	@$(BIN)/python -m tools.conformance $(ARGS)

bench: $(VENV)/dev.done  ## measure reading against pydicom; fails when a gate is missed
	$(BIN)/python -m bench.scan $(or $(OUT),$(BENCH)/corpus) $(ARGS)

bench-corpus: $(VENV)/dev.done  ## write the corpus of the benchmark to OUT=folder
	$(BIN)/python -m bench.corpus $(or $(OUT),$(BENCH)/corpus) $(ARGS)

bench-ingest: $(VENV)/dev.done  ## measure ingests of FILES="5000 50000"; OUT=folder for the files
	for n in $(or $(FILES),5000 50000); do \
	$(BIN)/python -m bench.ingest $(or $(OUT),$(BENCH)) --files $$n $(ARGS) || exit 1; done

bench-store: $(VENV)/dev.done  ## drive a store with generated instances; ARGS=--whole for 6,370,243
	$(BIN)/python -m bench.store $(ARGS)

bench-checks: $(VENV)/dev.done  ## run the checks on INSTANCES=1000000 generated instances
	$(BIN)/python -m bench.checks $(if $(INSTANCES),--instances $(INSTANCES)) $(ARGS)

bench-layout: $(VENV)/dev.done  ## measure the layout of the figure against plain layers
	$(BIN)/python -m bench.layout $(ARGS)

bench-archive: $(VENV)/dev.done  ## measure archives beside DCMTK; needs Orthanc and DCMTK
	$(BIN)/python -m bench.archive $(or $(OUT),$(BENCH)/archive) $(ARGS)

bench-rosamllib: $(VENV)/dev.done  ## compare with rosamllib, in an environment of its own
	$(BIN)/python -m bench.rosamllib_compare $(or $(OUT),$(BENCH)) $(ARGS)

bench-masks: $(VENV)/dev.done  ## compare with dcmrtstruct2nii, in an environment of its own
	$(BIN)/python -m bench.masks $(or $(OUT),$(BENCH)) $(ARGS)

bench-levels: $(VENV)/dev.done  ## measure a structure set and a dose as validate --level does
	$(BIN)/python -m bench.levels $(or $(OUT),$(BENCH)) $(ARGS)

lock:  ## pin dependencies in requirements/; ARGS=--upgrade takes the newest of all
	$(PYTHON) -m venv --clear $(LOCKER)
	$(LOCKER)/$(notdir $(BIN))/python -m pip install --quiet uv
	$(LOCK) pyproject.toml --group backend --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --group dev --constraint requirements/runtime.txt \
	--output-file requirements/dev.txt
	$(LOCK) requirements/newer-java.in --output-file requirements/newer-java.txt
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
