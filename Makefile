# Everything a newcomer and CI run. Needs Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin
FROM ?= ../shared/realdata

.PHONY: demo real server cluster test check lint types docs ui clean lock newest vulnerabilities

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch .venv/ready

demo: .venv/ready  ## Simulated deliveries, from reception to a release
	$(BIN)/odds demo

real: .venv/ready  ## The same on real files: make real FROM=folder
	ODDS_HOME=$${ODDS_HOME:-data/real} $(BIN)/odds run --from $(FROM)

test: .venv/ready  ## Everything the project can check by itself
	$(BIN)/python -m pytest -n auto --dist loadfile

server: .venv/server  ## What a server deployment and its tests need besides
.venv/server: .venv/ready requirements-server.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-server.lock
	touch .venv/server

cluster: .venv/server  ## Workers, PostgreSQL and redis of this machine, killed in mid-run (ODDS_SERVER_KILLS times)
	$(BIN)/python -m pytest -m long -s tests/pipeline/server

UV := .venv-uv/bin/uv
$(UV):
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<0.14"

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-emit-index-url --no-emit-find-links pyproject.toml

lock: $(UV)  ## Pin what pyproject.toml asks for, with hashes; what is pinned already stays if it may
	$(COMPILE) --extra dev -o requirements.lock
	$(COMPILE) --extra dev --extra server --extra server-dev -c requirements.lock -o requirements-server.lock

vulnerabilities:  ## Known vulnerabilities of what is pinned (ODDS_OSV: the OSV database as a file)
	$(PYTHON) .ci/vulnerabilities.py requirements.lock requirements-server.lock

newest: $(UV)  ## The tests on the newest versions there are, beyond our own bounds: what an upgrade will cost
	$(PYTHON) -m venv .venv-newest
	$(UV) pip install --quiet --python .venv-newest --upgrade --override .ci/newest.txt --editable ".[dev]"
	.venv-newest/bin/python -m pytest tests/unit tests/spec tests/declarations tests/pipeline/test_gate.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

check: lint types  ## Lint, types, declarations, tests
	$(BIN)/odds check
	$(MAKE) test

docs: .venv/ready  ## Write docs/reference again from the declarations
	$(BIN)/odds docs

ui: .venv/ready  ## Dagster UI on http://127.0.0.1:3000
	$(BIN)/odds ui

bench: .venv/ready  ## What the pipeline costs beside plain DuckDB and beside a first-written project
	$(BIN)/python -m benchmarks --keep

clean:
	rm -rf .venv .venv-uv .venv-newest data
