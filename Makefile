# Two commands: `make demo` (set-up and the main job) and `make test` (set-up and every check).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SITE := $(BIN)/python -m sphinx --fresh-env --write-all --quiet --fail-on-warning --keep-going --conf-dir docs . build/site
INSTALL := $(PIP) install --no-compile --constraint constraints.txt
# What pip does as well, but on one core alone.
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/tests/' $(VENV)/lib

# Otherwise every process that a test starts would compile every module that it imports.
unexport PYTHONDONTWRITEBYTECODE

# The files as the tests are ordered, the longest first, so that no process has to wait for another.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-device device-cost reliability clients check check-fast coverage lint types site fast-tests format docs clean
.DELETE_ON_ERROR:

demo: $(VENV)/train.done
	@EDGEEMO=$(BIN)/edgeemo sh examples/demo.sh

test: $(VENV)/dev.done check

# The emulated Raspberry Pis: part of the checks where there is something to emulate with.
test-device: $(VENV)/dev.done
	$(BIN)/python -m pytest tests/device

# Instructions on the same processors, for docs/device-cost.md; a quarter of an hour on two cores.
device-cost: $(VENV)/dev.done models/practice-plain
	$(BIN)/python -m emulation.cost models/practice-plain

models/practice-plain: $(VENV)/dev.done
	$(BIN)/edgeemo train --data practice-faces --mode plain --epochs 12 --out $@
	$(BIN)/edgeemo export $@ --int8 --float16 --dynamic

# Attacks with fixed seeds, for docs/reliability.md; less than an hour on two idle cores.
# PARTS="kills folder" runs some of them.
reliability: $(VENV)/dev.done
	$(BIN)/python -m benchmarks.reliability.run $(PARTS)

# Other programs that read exported files, and one that looks for barriers in pages, for the tests
# that use them: each in an environment of its own, under .cache/clients. CI makes them, too.
clients:
	$(PYTHON) benchmarks/client_table.py web mediapipe tflite-micro axe

check:
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target site types lint
	$(PYTEST)

# Less than a minute, for every commit: all but the site and the tests marked `tensorflow` or `slow`.
check-fast: $(VENV)/dev.done
	@$(MAKE) --no-print-directory --jobs=2 --keep-going lint fast-tests types

# The share of lines and branches that the tests run, processes that they start included.
coverage: $(VENV)/dev.done
	$(PYTEST) --cov --cov-report=term --cov-report=html

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types:
	$(BIN)/mypy

site:
	$(SITE)

fast-tests:
	$(PYTEST) -p tests.without_tensorflow -m "not tensorflow and not slow"

format: $(VENV)/dev.done
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# docs/cli.md, docs/licences.md, and the site in build/site; a warning, such as a link that leads
# nowhere, is a failure.
docs: $(VENV)/dev.done
	$(BIN)/python docs/make_cli_reference.py
	$(BIN)/python docs/make_licences.py
	$(SITE)

clean:
	rm -rf $(VENV) .cache/arm64 .cache/clients build dist *.egg-info practice-faces

# One environment, for the demo or with all that the checks need; constraints.txt repeats it exactly.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "edgeemo needs Python 3.11 to 3.13; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "Python cannot make a virtual environment: sudo apt install python3-venv"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'

$(VENV)/train.done: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing edgeemo with TensorFlow (about 2 GB, a few minutes the first time) ..."
	$(INSTALL) --editable '.[train]'
	@$(COMPILE) || true
	@touch $@

$(VENV)/dev.done: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing edgeemo with all that its checks need (about 4 GB, a few minutes the first time) ..."
	$(INSTALL) --group dev --editable '.[train,tune,distributed,faces,tensorboard,mlflow,sign,live,serve]'
	@$(COMPILE) || true
	@touch $@ $(VENV)/train.done
