# Everything a developer does. Each target sets up .venv by itself; only Python and make are needed.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= auto
ARGS   ?=
BIN    := $(VENV)/bin
RUN    := $(BIN)/python -m
READY  := $(VENV)/.ready
DOCS   := $(VENV)/.ready-docs
TENSORS := $(VENV)/.ready-tensors

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test check bench docs format lint imports types pages size clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY)  ## make .venv and install engram with its tools

demo: $(READY)  ## watch engram remember, in a minute
	@$(BIN)/engram demo $(ARGS)

# Workers share the cores; threads of their own beside them only wait for one another.
test: export OPENBLAS_NUM_THREADS := 1
test: export OMP_NUM_THREADS := 1
test: $(TENSORS)  ## run the tests; ARGS="-k words" picks some, JOBS=0 uses one process
	@$(RUN) pytest -n $(JOBS) --maxprocesses 4 --dist worksteal --durations 10 $(ARGS)

check: $(TENSORS)  ## every gate but the tests, cheapest first
	@$(RUN) ruff format --check
	@$(RUN) ruff check
	@$(BIN)/lint-imports
	@$(BIN)/python tools/size.py
	@$(BIN)/python tools/docs.py --check
	@$(RUN) mypy

bench: $(TENSORS)  ## run every script in bench/
	@for script in bench/*.py; do \
	  [ -e "$$script" ] || { echo "bench/ holds no script" >&2; exit 1; }; \
	  echo "== $$script"; $(BIN)/python "$$script" $(ARGS); \
	done

docs: $(DOCS) pages  ## build the documentation into site/
	@$(BIN)/zensical build --strict

pages: $(READY)  ## write the generated pages of docs/
	@$(BIN)/python tools/docs.py

format: $(READY)  ## format the code and fix what ruff can fix
	@$(RUN) ruff check --fix
	@$(RUN) ruff format

lint: $(READY)  ## ruff, changing nothing
	@$(RUN) ruff format --check
	@$(RUN) ruff check

imports: $(READY)  ## the import contracts
	@$(BIN)/lint-imports

types: $(TENSORS)  ## mypy, strict
	@$(RUN) mypy

size: $(READY)  ## lines by room against the budget
	@$(BIN)/python tools/size.py

clean:  ## remove what make made
	rm -rf $(VENV) site build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "no '$(PYTHON)' here: install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "engram needs Python 3.11 or newer, $$($(PYTHON) --version) came: name another, as in make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments: install its venv module (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "setting up $(VENV), up to a minute"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(RUN) pip install --quiet --upgrade 'pip>=25.1'
	@$(RUN) pip install --quiet --editable . --group dev --constraint constraints.txt
	@touch $@

# On Linux torch's default build brings CUDA; pip's own settings, such as PIP_INDEX_URL, choose another.
$(TENSORS): $(READY)
	@echo "adding torch, for the tests of the rooms that need it"
	@$(RUN) pip install --quiet --group tensors --constraint constraints.txt
	@touch $@

$(DOCS): $(READY)
	@$(RUN) pip install --quiet --group docs --constraint constraints.txt
	@touch $@
