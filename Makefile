# `make demo` and `make test` do everything on a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo

.PHONY: demo test check format bench docs clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"myovivo needs Python 3.11 or newer, got {v[0]}.{v[1]}; run: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e ".[video,uff,dicom,tensorboard,export,interop,cluster,oracles,dev]"
	touch $@

demo: $(VENV)/installed
	$(BIN)/myovivo demo $(OUT)

test: $(VENV)/installed
	$(BIN)/pytest

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(VENV)/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/installed
	$(BIN)/pip install --quiet -c constraints.txt -e ".[docs]"
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf $(VENV) demo docs/_build docs/gallery build dist
