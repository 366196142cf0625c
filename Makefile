# Every target sets up what it needs, is safe to repeat, and says what it is doing.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
ONLY ?=
# Each command is a process of its own: compiled files halve its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo run test check bench format requirements

help:
	@echo "make demo   one real case, from login to a certificate that verifies (ARGS=\"--split --wallet alipay\", one or both)"
	@echo "make run    serve the embedded mode and print the addresses to open"
	@echo "make test   the tests, on SQLite and on a private MariaDB"
	@echo "make check  format, lint, types, import contracts"
	@echo "make bench  measure; writes var/bench/results.json (ONLY=a,b for some)"

# The virtual environment, remade only when the pinned requirements change.
$(VENV)/.ready: requirements/dev.txt pyproject.toml
	@echo "setting up $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: need-python $(VENV)/.ready

# What the wallets' own Node libraries say of our signatures; tests ask them. Pinned by hash, no install scripts.
INDEPENDENT := tests/independent
$(INDEPENDENT)/node_modules/.ready: $(INDEPENDENT)/package-lock.json $(INDEPENDENT)/.npmrc
	@echo "setting up $(INDEPENDENT)"
	@cd $(INDEPENDENT) && npm ci --silent
	@touch $@

# Debian packages, asked for in one line and before anything that takes a minute.
need-%:
	@bash .ci/need $(subst -, ,$*)

demo: need-python-fonts setup
	@$(BIN)/python -m sandbox.demo $(ARGS)

run: need-python-fonts setup
	@$(BIN)/python -m sandbox.run $(ARGS)

test: need-python-fonts-mariadb-node setup $(INDEPENDENT)/node_modules/.ready
	@$(BIN)/python -m pytest -n 2 $(ARGS)

check: setup
	@echo "format"; $(BIN)/ruff format --check .
	@echo "lint"; $(BIN)/ruff check .
	@echo "types"; $(BIN)/mypy
	@echo "imports"; $(BIN)/lint-imports

bench: need-python-fonts-mariadb-wrk setup
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# For maintainers: needs `uv`. No address of a package registry is written into the files.
requirements:
	uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header -q -o requirements/run.txt
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --python-version 3.11 --no-header -q -o requirements/dev.txt
