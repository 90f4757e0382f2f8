# Everything a newcomer and CI run. Needs Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo real quick test attack faults server cluster lint types check docs ui bench mutants lock newest vulnerabilities release hooks clean

help:  ## These lines
	@awk -F ':.*##' '/^[a-z][a-z_-]*:.*##/ {printf "make %-16s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Images of containers often set it, and each `odds` of a test would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

# Half the processor time of pip, and on all processors: most of it is compiling.
UV := .venv-uv/bin/uv
$(UV):
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<0.14"

INSTALL := $(UV) pip install --quiet --python .venv/bin/python --compile-bytecode

.venv/ready: requirements.lock pyproject.toml | $(UV)
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --editable .
	touch .venv/ready

demo: .venv/ready  ## Simulated deliveries, from reception to a release
	$(BIN)/odds demo

real: export ODDS_HOME ?= data/real
real: .venv/ready  ## The same on real files: fetched from the portals, or those of a folder: make real FROM=folder
ifdef FROM
	-$(BIN)/odds run --from $(FROM)
else
	-$(BIN)/odds fetch
	-$(BIN)/odds run
endif
	$(BIN)/odds portrait
	$(BIN)/odds coverage

PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile

quick: .venv/ready  ## Seconds, while writing: declarations, formulas, documents
	$(BIN)/python -m pytest -n auto -m "not long and not slow" tests/unit tests/spec tests/declarations

# A fifth of the time a test waits, for a disk, a daemon, a browser: one worker more than processors.
test check: export PYTEST_XDIST_AUTO_NUM_WORKERS ?= $(shell expr `getconf _NPROCESSORS_ONLN` + 1)

# DuckDB takes as many threads as the machine has processors, or as this says: the workers take them all already.
test: export SLURM_CPUS_ON_NODE ?= 1
test: .venv/ready  ## Minutes, before a change is sent: all but the slow tests
	$(PYTEST) -m "not long and not slow"

attack: .venv/ready  ## A reader who keeps a year of releases and three revisions attacks them (minutes)
	$(BIN)/python -m pytest -m long -s tests/pipeline/test_reader.py

faults: .venv/ready  ## Every damage on every feed, and across geographies: how many were refused, told
	ODDS_ALL_FAULTS=1 $(BIN)/python -m pytest -s tests/pipeline/test_faults.py tests/pipeline/test_gate_geographies.py \
	  -k "every_damage or whatever_geography" | grep -E " signalés sur |^[.F]?[0-9]+ damages|^FAILED|passed|failed"

server: .venv/server  ## What a server deployment and its tests need besides
.venv/server: .venv/ready requirements-server.lock
	$(INSTALL) --require-hashes -r requirements-server.lock
	touch .venv/server

cluster: .venv/server  ## Workers, PostgreSQL and redis of this machine, killed in mid-run (ODDS_SERVER_KILLS times)
	$(BIN)/python -m pytest -m long -s tests/pipeline/server

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-strip-extras --no-emit-index-url --no-emit-find-links pyproject.toml

lock: $(UV)  ## Pin what pyproject.toml asks for, with hashes; what is pinned already stays if it may
	$(COMPILE) --extra dev -o requirements.lock
	$(COMPILE) --extra dev --extra server --extra server-dev -c requirements.lock -o requirements-server.lock

vulnerabilities:  ## Known vulnerabilities of what is pinned (ODDS_OSV: the OSV database as a file)
	$(PYTHON) .ci/vulnerabilities.py requirements.lock requirements-server.lock

newest: $(UV)  ## The tests on the newest versions there are, beyond our own bounds: what an upgrade will cost
	$(PYTHON) -m venv .venv-newest
	$(UV) pip install --quiet --python .venv-newest --upgrade --override .ci/newest.txt --editable ".[dev]"
	.venv-newest/bin/python -m pytest tests/unit tests/spec tests/declarations tests/pipeline/test_gate.py

lint: .venv/ready  ## Style, and imports in order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Of a class that is not there mypy knows nothing: those of the server are looked at too.
types: .venv/server  ## mypy, strict
	$(BIN)/mypy

check: lint types  ## Everything, what CI runs: lint, types, declarations, all tests
	$(BIN)/odds check
	$(PYTEST)

docs: .venv/ready  ## Write docs/reference again from the declarations
	$(BIN)/odds docs

ui: .venv/ready  ## Dagster UI on http://127.0.0.1:3000
	$(BIN)/odds ui

mutants: .venv/ready  ## Small breaks of the code that no test sees (ROOM=gate: of one room; EACH=20: so many a room)
	$(BIN)/python -m benchmarks.mutants $(ROOM) --each $(or $(EACH),20)

bench: .venv/ready  ## What the pipeline costs beside plain DuckDB and beside a first-written project
	$(BIN)/python -m benchmarks --keep

release:  ## Check, build and tag a version whose changelog is written: make release VERSION=0.3.0
	$(PYTHON) .ci/release.py $(VERSION)

hooks: .venv/server  ## Check lint, types and declarations before each commit
	git config core.hooksPath .githooks

clean:  ## Remove the virtual environments and the data
	rm -rf .venv .venv-uv .venv-newest data
