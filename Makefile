# `make demo` and `make test` are all that is needed; `make` alone lists the rest.

PYTHON ?= python3
EXTRAS := torch,bundled,keras,fast,heif,hf,onnx,int8,parquet,umap,tensorboard,remote,serve,client,bot,ray,postgres,qdrant,dev

SHELL := /bin/bash
# A test is small: threads of a matrix product would wait for each other, in two workers at a time.
export OMP_NUM_THREADS := 1
# Nothing is compiled on installing, so each process that starts would compile all that it imports, and
# the tests start hundreds.
export PYTHONDONTWRITEBYTECODE :=
.DEFAULT_GOAL := help

BIN := .venv/bin
# What `pip install penult` brings is in .venv first, then the extras as well. Without torch, tests run
# in another environment, made of what is in .venv.
LIGHT := .venv/light
FULL := .venv/full
WITHOUT_TORCH := .venv-light/made

.PHONY: help install demo test test-light coverage test-lowest check docs sizes clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

install: $(FULL) ## Create .venv and install penult and all that its tests need into it

demo: $(LIGHT) ## Sort 1,797 handwritten digits and write a report on it to demo/report
	@$(BIN)/penult sample digits demo/images
	@$(BIN)/penult report demo/images -o demo/report --overwrite

test: ## Run the linters and all tests
	@# mypy takes one core for most of a minute where it has no cache; what is wrong with one of the two
	@# is said at once, and the other is run to its end.
	@$(MAKE) --no-print-directory --jobs 2 check test-light
	@PENULT_EXTRAS=all $(BIN)/pytest -m 'not once' -n 2 --dist worksteal --randomly-seed=1

test-light: $(WITHOUT_TORCH) ## Run the tests that must pass without torch, where there is none
	@PENULT_EXTRAS=none .venv-light/bin/python -m pytest -m light -n 2 --dist worksteal --randomly-seed=1

coverage: $(WITHOUT_TORCH) ## Run the tests, and list the lines that none of them runs
	@# As `make test` does, and to the end though a test fails: some lines run only where there is no torch.
	@-PENULT_EXTRAS=none .venv-light/bin/python -m pytest -m light -n 2 --dist worksteal --randomly-seed=1 --cov --cov-report=
	@PENULT_EXTRAS=all $(BIN)/pytest -m 'not once' -n 2 --dist worksteal --randomly-seed=1 --cov --cov-append --cov-report=term-missing:skip-covered

test-lowest: ## Run the tests with the lowest versions that pyproject.toml promises
	@$(PYTHON) -m venv .venv-lowest
	@.venv-lowest/bin/python -m pip --quiet install uv
	@# An old matplotlib uses what pyparsing 3.3 warns of.
	@.venv-lowest/bin/uv pip install --python .venv-lowest --resolution lowest-direct --editable '.[$(EXTRAS)]' 'pyparsing>=3.2,<3.3'
	@# What schemathesis calls a service by closes none of its streams, of which anyio warns.
	@.venv-lowest/bin/pytest -n 2 --dist worksteal -W default::DeprecationWarning \
	  -W 'ignore:Unclosed <MemoryObject:ResourceWarning'

check: install ## Run the linters alone
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

sizes: ## Say what installing penult costs, without and with all extras: MB, packages, seconds
	@$(PYTHON) benchmarks/install.py '$(EXTRAS)'

docs: install ## Write docs/cli.md anew from the commands' --help, docs/api.md from docstrings
	@$(BIN)/python docs/write_api.py > docs/api.md
	@$(BIN)/python docs/write_cli.py > docs/cli.md

clean: ## Remove .venv, the demo and all caches
	@rm -rf .venv .venv-light .venv-lowest .coverage .coverage.* demo dist .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2> /dev/null || true

# Made anew only when what is to be installed has changed. uv takes a fifth of pip's time; it reads
# none of pip's settings, so that it is told the registry, and where that was not enough, pip does it.
# Python compiles what is used when it is first used: a tenth of all that lies there.
define install
set -fo pipefail; pip="$(BIN)/python -m pip --disable-pip-version-check --no-input"; \
registry=$$($$pip config list | sed -n "s/.*[.]index.url='\(.*\)'/\1/p" | tail -n 1); \
[ -z "$$registry" ] || export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$registry}"; \
what="install --constraint constraints.txt --editable $(1)"; \
$$pip install -qq --no-compile --constraint constraints.txt uv \
  && $(BIN)/python -m uv pip $$what --python $(BIN)/python 2>&1 | grep --line-buffered --invert-match '^ [-+~] ' \
  || { echo "uv could not; pip does it" >&2; $$pip $$what --no-compile; }
endef

$(LIGHT): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
	  found=$$($(PYTHON) --version 2>&1) || found="not there"; \
	  echo "penult needs Python 3.11 or newer, and $(PYTHON) is $$found;" \
	       "if you have a newer one, type for example: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	@echo "Installing penult and what it needs into .venv, once; this takes a minute"
	@$(PYTHON) -m venv .venv
	@$(call install,.)
	@touch $@

$(FULL): $(LIGHT)
	@echo "Adding PyTorch, the other extras and the tools of tests, once; this takes some minutes"
	@$(call install,.[$(EXTRAS)])
	@touch $@

$(WITHOUT_TORCH): $(FULL) tests/light_environment.py
	@$(BIN)/python tests/light_environment.py .venv-light
	@touch $@
