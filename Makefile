# Everything a newcomer and CI run. Needs Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin
FROM ?= ../shared/realdata

.PHONY: demo real server cluster test check lint types docs ui clean

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
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
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-server.lock
	touch .venv/server

cluster: .venv/server  ## Workers, PostgreSQL and redis of this machine, killed in mid-run (ODDS_SERVER_KILLS times)
	$(BIN)/python -m pytest -m long -s tests/pipeline/server

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
	rm -rf .venv data
