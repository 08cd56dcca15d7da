# Each target makes .venv first when it is missing or older than what it is made from.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV := $(VENV)/.ready

.PHONY: demo test bench lint notebooks

$(ENV): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ztfml needs Python 3.11 or newer; name one with make PYTHON=...")'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(ENV)

demo: $(ENV)
	$(BIN)/ztfml demo demo

test: $(ENV)
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(ENV)
	$(BIN)/python -m tests.benchmarks.full_night

lint: $(ENV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

notebooks: $(ENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[notebooks]'
	$(BIN)/python -m pytest --nbmake notebooks
