.DEFAULT_GOAL := help
.PHONY: help bench test test-long lint ui clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

bench: $(READY) ## check, measure and train once, in a few minutes: table, report and MLflow runs
	$(BIN)/bnbench run experiment=quick

# Files of tests share the cores, and one more waits for what is slow to start. What computes takes the machine's lock, which is
# a clock's: where workers may have clocks of their own, none waits for another.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
OWN_CLOCK := $(shell unshare --time --fork true 2>/dev/null && echo 'unshare --time --fork ')
test: $(READY)  ## run all tests; each benchmark once, untimed
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest --benchmark-disable -m "not timed and not long" --dist loadfile --no-loadscope-reorder \
	  --tx '$(WORKERS)*popen//python=$(OWN_CLOCK)$(BIN)/python'

test-long: $(READY)  ## the other tests, one by one: those of minutes, and those that need a quiet machine
	$(BIN)/python -m pytest --benchmark-disable -m "timed or long"

lint: $(READY)  ## check style, layout and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

ui: $(READY)    ## start MLflow on 127.0.0.1 with the results of `make bench`
	$(BIN)/bnbench ui

clean:          ## remove the environment and build products, keep results
	rm -rf .venv build harness/bandwidth/*.so implementations/fused_cpu/*.so

NATIVE := CMakeLists.txt $(wildcard cmake/*) $(shell find harness implementations -name '*.cpp' -o -name '*.hpp')
# With a compiler, C++ that fails to build is an error; without one, the package is installed without its C++.
BNBENCH_NATIVE ?= $(if $(shell command -v $(CXX)),1)

# The stamp is written last: an interrupted set-up starts again, a finished one costs nothing.
$(READY): pyproject.toml constraints.txt $(NATIVE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "bnbench needs Python 3.11 or newer; set PYTHON=")'
	@echo 'Set-up: packages are installed while the C++ is compiled; about three minutes on two cores.'
	$(PYTHON) -m venv .venv
	@$(BIN)/python -c "$$REQUIREMENTS" > .venv/requirements.txt
	$(PIP) --requirement .venv/requirements.txt & packages=$$!; \
	  BNBENCH_NATIVE=$(BNBENCH_NATIVE) $(PIP) --no-deps --editable .; built=$$?; \
	  wait $$packages && exit $$built
	@touch $(READY)

# Bytecode is written as modules are imported: for all of 1.7 GB of packages it takes a minute.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
# What the package and its extra `dev` need, without the package, which is built at the same time.
define REQUIREMENTS
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = project["optional-dependencies"]
wanted = project["dependencies"] + extras["test"] + extras["dev"]
print(*(each for each in wanted if not each.startswith("bnbench[")), sep="\n")
endef
export REQUIREMENTS
