# Sets itself up on a machine with Python ≥ 3.11 (with pip and venv), make and git; needs the network the first time only.
# ARGS=… is passed on:  make demo ARGS="--speed 60"   make test ARGS="tests/plc -x"
PYTHON ?= python3
ARGS ?=
UV := .tools/uv/bin/uv
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
export PYTHON

.PHONY: help setup web demo test check contracts format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    the demo plant with simulated PLCs, in the browser"
	@echo "make test    the whole test suite"
	@echo "make check   style, types, import rules, house rules"
	@echo "make setup   environment and web parts only;   make web, make format, make clean"

setup: .venv/.stamp mes/_web/.stamp

web: mes/_web/.stamp

demo: setup
	$(BIN)/mes demo $(ARGS)

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/contracts

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .tools node_modules mes/_web mes/_fonts mes/plc/_nodesets build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# Stamps lie inside what they stand for, so that deleting a folder is enough to have it made again.
.tools/uv/.stamp: .tools-requirements.txt
	$(PYTHON) -m venv --clear .tools/uv
	.tools/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r .tools-requirements.txt
	@touch $@

.venv/.stamp: .tools/uv/.stamp pyproject.toml uv.lock hatch_build.py
	$(UV) sync --locked --all-extras --python $(PYTHON)
	@touch $@

node_modules/.stamp: .tools/uv/.stamp package.json package-lock.json scripts/with_node
	scripts/with_node npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

ISLANDS := $(wildcard mes/site/src/*.ts mes/terminals/*/island.ts)

mes/_web/.stamp: node_modules/.stamp scripts/build_web.mjs $(ISLANDS)
	scripts/with_node node scripts/build_web.mjs
