# make demo    protect a real face and show the result
# make test    lint, strict types, import contracts, tests
# make bench   milliseconds per stage on this machine
#
# Everything is installed into .venv from the package registries, in the versions of constraints.txt.

PYTHON ?= $(firstword $(foreach v,3.11 3.12,$(shell command -v python$(v) 2>/dev/null)) python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
export QT_QPA_PLATFORM ?= offscreen

.PHONY: demo test check bench fix clean

demo: .venv/app
	$(BIN)/facecloak demo --out demo-output

test: .venv/dev check
	$(BIN)/python -m pytest

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py docs/*.py
	$(BIN)/lint-imports --no-cache

fix: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/app
	$(BIN)/facecloak bench

.venv/app: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --editable .
	touch $@

.venv/dev: .venv/app
	$(PIP) --editable '.[train,scale,dev]'
	touch $@

clean:
	rm -rf .venv demo-output
