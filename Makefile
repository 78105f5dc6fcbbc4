# Everything from a bare Python: `make app` opens the app, `make test` passes every test.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: app test test-all fuzz check bench clean

app: .venv/app
	$(BIN)/streamlit run streamlit_app.py

TESTS := $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal

# Without what takes more than a few seconds.
test: .venv/dev
	$(TESTS) -m "not slow"

test-all: .venv/dev
	$(TESTS)

# Random input, much of it: hours. FUZZ_EXAMPLES says how much for each kind.
fuzz: export FUZZ_EXAMPLES ?= 100000
fuzz: .venv/dev
	$(BIN)/python -m pytest tests/fuzz tests/runs/test_exact.py

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev
	$(BIN)/python -m benchmarks.epoch
	$(BIN)/python -m benchmarks.cnn
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.live
	$(BIN)/python -m benchmarks.pages
	$(BIN)/python -m benchmarks.runs
	$(BIN)/python -m benchmarks.inside
	$(BIN)/python -m benchmarks.cluster

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/app: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install -r requirements.txt
	touch $@

.venv/dev: requirements-dev.txt requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install -r requirements-dev.txt
	touch $@ .venv/app
