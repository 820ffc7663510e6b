# Short forms of the commands that README.md spells out. GNU make, Linux and macOS.

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
EDITABLE := $(PIP_INSTALL) --quiet --no-deps --no-build-isolation --editable .
COMPILE := uv pip compile pyproject.toml --no-config --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header $(UPGRADE)

.PHONY: help app bench test lint wheel requirements clean

help:
	@echo "make app           install what is missing and open the app on the scored sample"
	@echo "make test          install what is missing and run the tests"
	@echo "make lint          check style and types"
	@echo "make bench         measure beside other libraries, in an environment of its own (BENCH=--help: choices)"
	@echo "make wheel         build the wheel into dist/ and check its files"
	@echo "make requirements  pin the requirements again with uv (UPGRADE=--upgrade: newest versions)"
	@echo "make clean         remove the virtual environment and what was built"

app: $(VENV)/.app
	@$(BIN)/trefpunt app

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

wheel: $(VENV)/.test
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel -d dist
	$(BIN)/python scripts/check_wheel.py dist/*.whl

# The stamps are made last: an interrupted installation is taken up again, a finished one is not repeated.
$(VENV)/.app: requirements/app.txt pyproject.toml
	@sh scripts/make_venv.sh $(VENV)
	@echo "Installing into $(VENV) (once; about a minute) ..."
	@$(PIP_INSTALL) --quiet --require-hashes -r requirements/app.txt
	@$(EDITABLE)
	@touch $@

# What the tests need contains what the app needs, at the same versions.
$(VENV)/.test: requirements/test.txt pyproject.toml
	@sh scripts/make_venv.sh $(VENV)
	@echo "Installing into $(VENV), with the tools for tests (once; about two minutes) ..."
	@$(PIP_INSTALL) --quiet --require-hashes -r requirements/test.txt
	@$(EDITABLE)
	@touch $(VENV)/.app $@

# The app takes the tests' versions, so that one environment serves both.
requirements:
	$(COMPILE) --group test --output-file requirements/test.txt
	$(COMPILE) --group build --constraints requirements/test.txt --output-file requirements/app.txt
	$(COMPILE) --group bench --constraints requirements/test.txt --output-file requirements/bench.txt

# The peers (two of them AGPL) live in an environment of their own and never in the product's.
bench: .bench/.ready
	@.bench/bin/python -W ignore -m benchmarks $(BENCH)

.bench/.ready: requirements/bench.txt pyproject.toml
	@sh scripts/make_venv.sh .bench
	@.bench/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/bench.txt
	@.bench/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf $(VENV) .bench dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
