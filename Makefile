# Each target makes .venv first when it is missing or older than what it is made from.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV := $(VENV)/.ready

.PHONY: demo test bench lint notebooks model ranker

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

# The model that ships: DATA is a folder with alerts/ (labelled real nights), catalogs/ and
# object_labels.csv; more labels are taken from these, and simulated nights of three eras of the
# survey are added.
NIGHTS := build/nights
REAL := ztf_alerts_real
model: $(ENV)
	@test -n "$(DATA)" || { echo "name the folder of alerts and catalogues: make model DATA=..."; exit 2; }
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
	$(BIN)/ztfml train $(foreach night,$(REAL) $(addprefix ztf_alerts_,2458312.5 2458451.5 2459300.5 2460235.5 2460474.5),$(NIGHTS)/$(night).parquet) -o models/default

# The trees and the weights of the ranking, fitted on simulated nights that the model never saw.
# Nights of transients have the rare kinds, natural ones the common ones that look like them.
RANKER := build/ranker
NATURAL := 2458460.5 2459680.5 2460130.5
RARE := 2458630.5 2459310.5 2459530.5 2459900.5 2460250.5 2460330.5 2460480.5 2460620.5
ranker: $(ENV)
	rm -rf $(RANKER)
	mkdir -p $(RANKER)
	@set -e; seed=200; for jd in $(NATURAL); do seed=$$((seed + 1)); \
		$(BIN)/ztfml simulate $(RANKER) --start-jd $$jd --alerts 50000 --seed $$seed; done
	@set -e; seed=220; for jd in $(RARE); do seed=$$((seed + 1)); \
		$(BIN)/ztfml simulate $(RANKER) --start-jd $$jd --alerts 100000 --seed $$seed --mix transients; done
	$(BIN)/python -m ztfml.training.fit_ranking $(foreach jd,$(NATURAL) $(RARE),$(RANKER)/ztf_alerts_$(jd).parquet) -o ztfml/ranking/ranking.toml

# The notebooks share the demo, which is made if it is not there.
notebooks: $(ENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[notebooks]'
	test -e demo/night.html || $(BIN)/ztfml demo demo
	ZTFML_DEMO=$(CURDIR)/demo $(BIN)/python -m pytest --nbmake notebooks
