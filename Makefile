# Each target makes the environment .venv first if it is missing or older than its inputs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV := $(VENV)/.ready
DEMO := demo
SOURCES := $(shell find ztfml models docs notebooks -type f -not -name '*.pyc' -not -path 'docs/_*')

.DEFAULT_GOAL := help
.PHONY: help demo live test fuzz test-all lint docs notebooks pictures bench model ranker

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(ENV): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ztfml needs Python 3.11 or newer; choose one with make PYTHON=...")'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(ENV)

demo: $(ENV)  ## simulate, train, predict, rank, plot and report in the folder demo
	$(BIN)/ztfml demo $(DEMO)

live: $(ENV)  ## replay a simulated night through a Kafka broker and rank it live (2 minutes)
	$(BIN)/python -m tests.live

# Threads that wait for work must not take the cores from the other tests.
test: $(ENV)  ## run the tests
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n 2 --dist loadfile

FUZZ_FIRST ?= 1000000
fuzz: $(ENV)  ## run 10,000 inputs with random faults (FUZZ_FIRST=number of the first)
	$(BIN)/python -m tests.fuzz --first $(FUZZ_FIRST) --count 10000

test-all:  ## run the tests on Python 3.11, 3.12 and 3.13, where installed
	./tests/all_pythons.sh

lint: $(ENV)  ## check style, spelling, docstrings and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/numpydoc lint $$(find ztfml -name '*.py')
	$(BIN)/mypy

# The notebooks and the documentation need the demo. It is made again when the package changes.
$(DEMO)/night.html: $(ENV) $(filter ztfml/% models/%,$(SOURCES))
	$(BIN)/ztfml demo $(DEMO)

docs: $(ENV) $(DEMO)/night.html  ## build the documentation in build/docs
	rm -rf build/docs
	ZTFML_DEMO=$(abspath $(DEMO)) $(BIN)/python -m sphinx -W --keep-going -n -q -b html docs build/docs
	@echo "open build/docs/index.html"

notebooks: $(ENV) $(DEMO)/night.html  ## run the notebooks
	ZTFML_DEMO=$(abspath $(DEMO)) $(BIN)/python -m pytest --nbmake notebooks

pictures: $(ENV) $(DEMO)/night.html  ## draw the pictures of the README and the documentation
	$(BIN)/python docs/pictures.py $(DEMO)

bench: $(ENV)  ## measure time and memory on a full night, many nights and the history store
	$(BIN)/python -m tests.benchmarks.full_night
	$(BIN)/python -m tests.benchmarks.store --alerts 2000 --orders 3

# The shipped model. DATA is a folder with alerts/ (labelled real nights), catalogs/ and
# object_labels.csv. Catalogues add labels, and simulated nights of three survey eras are added.
NIGHTS := build/nights
REAL := ztf_alerts_real
SIMULATED := 2458312.5 2458451.5 2459300.5 2460235.5 2460474.5 2458650.5 2458960.5 2459620.5 2459990.5
model: $(ENV)  ## train the shipped model (DATA=folder with alerts and catalogues)
	@test -n "$(DATA)" || { echo "give the folder with alerts and catalogues: make model DATA=..."; exit 2; }
	rm -rf $(NIGHTS)
	mkdir -p $(NIGHTS)
	cp $(DATA)/alerts/$(REAL).parquet $(DATA)/alerts/$(REAL)_prv_candidates.parquet $(NIGHTS)
	$(BIN)/ztfml label $(NIGHTS)/$(REAL).parquet -o $(NIGHTS)/$(REAL)_labels.csv --mpc \
		--doubtful models/doubtful.csv \
		--catalog vsx=$(DATA)/catalogs/vsx.parquet \
		--catalog gcvs=$(DATA)/catalogs/gcvs.parquet \
		--catalog agn=$(DATA)/catalogs/3hsp.csv \
		--catalog agn=$(DATA)/catalogs/table-4LAC-DR3-h.fits \
		--catalog objects=$(DATA)/object_labels.csv \
		--catalog objects=$(DATA)/alerts/$(REAL)_labels.csv
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2458312.5 --alerts 3000 --seed 101
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2458451.5 --alerts 3000 --seed 102 --mix balanced
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2459300.5 --alerts 3000 --seed 103 --mix balanced
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2460235.5 --alerts 3000 --seed 104
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2460474.5 --alerts 3000 --seed 105 --mix balanced
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2458650.5 --alerts 4000 --seed 106 --mix balanced
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2458960.5 --alerts 4000 --seed 107 --mix balanced
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2459620.5 --alerts 4000 --seed 108 --mix balanced
	$(BIN)/ztfml simulate $(NIGHTS) --start-jd 2459990.5 --alerts 4000 --seed 109 --mix balanced
	$(BIN)/ztfml train $(foreach night,$(REAL) $(addprefix ztf_alerts_,$(SIMULATED)),$(NIGHTS)/$(night).parquet) -o models/default --force

# The ranking: trees and weights, fitted on simulated nights that the classifier has not seen.
# The mix "transients" supplies the rare classes, the natural mix the common contaminants.
RANKER := build/ranker
NATURAL := 2458460.5 2459680.5 2460130.5
RARE := 2458630.5 2459310.5 2459530.5 2459900.5 2460250.5 2460330.5 2460480.5 2460620.5
CALIBRATION := 2460280.5 2460470.5
ranker: $(ENV)  ## fit the ranking on simulated nights
	rm -rf $(RANKER)
	mkdir -p $(RANKER)/fast
	@set -e; seed=200; for jd in $(NATURAL); do seed=$$((seed + 1)); \
		$(BIN)/ztfml simulate $(RANKER) --start-jd $$jd --alerts 50000 --seed $$seed; done
	@set -e; seed=220; for jd in $(RARE); do seed=$$((seed + 1)); \
		$(BIN)/ztfml simulate $(RANKER) --start-jd $$jd --alerts 100000 --seed $$seed --mix transients; \
		$(BIN)/ztfml simulate $(RANKER)/fast --start-jd $$jd --alerts 6000 --seed $$seed --mix fast; done
	@set -e; seed=7799; for jd in $(CALIBRATION); do seed=$$((seed + 1)); \
		$(BIN)/ztfml simulate $(RANKER) --start-jd $$jd --alerts 153489 --seed $$seed; done
	$(BIN)/ztfml fit-ranking $(foreach jd,$(NATURAL) $(RARE),$(RANKER)/ztf_alerts_$(jd).parquet) \
		$(foreach jd,$(RARE),$(RANKER)/fast/ztf_alerts_$(jd).parquet) \
		$(foreach jd,$(CALIBRATION),--calibrate $(RANKER)/ztf_alerts_$(jd).parquet) -o models/ranking --force
