.DEFAULT_GOAL := help
.PHONY: help bench test lint ui clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

help:           ## say what the targets do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

bench: $(READY) ## check, measure and train once: table, report and MLflow runs, in a few minutes
	$(BIN)/bnbench run experiment=quick

test: $(READY)  ## all tests, the benchmarks among them as a smoke run
	$(BIN)/python -m pytest --benchmark-disable

lint: $(READY)  ## style and types
	$(BIN)/ruff check
	$(BIN)/mypy

ui: $(READY)    ## MLflow on 127.0.0.1 over the results of `make bench`
	$(BIN)/bnbench ui

clean:          ## remove the environment and what was built; results stay
	rm -rf .venv build harness/bandwidth/*.so implementations/fused_cpu/*.so

NATIVE := CMakeLists.txt $(wildcard cmake/*) $(shell find harness implementations -name '*.cpp' -o -name '*.hpp')
# Where there is a compiler, C++ that does not build is an error; where there is none, the package does without.
BNBENCH_NATIVE ?= $(if $(shell command -v $(CXX)),1)

# The stamp comes last: an interrupted set-up is begun again, a finished one costs nothing.
$(READY): pyproject.toml constraints.txt $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bnbench needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv .venv
	BNBENCH_NATIVE=$(BNBENCH_NATIVE) $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)
