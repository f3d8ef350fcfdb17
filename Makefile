# What each target does is said beside it; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO ?=
JOBS ?= 3
MINUTES ?= 1
STEPS ?= 10000
FORMAT ?=
# Each command and each server that a test starts would compile all modules once more.
unexport PYTHONDONTWRITEBYTECODE

run_stamp := $(VENV)/.run-$(shell cat requirements/run.txt pyproject.toml | cksum | cut -d' ' -f1)
test_stamp := $(VENV)/.test-$(shell cat requirements/test.txt pyproject.toml | cksum | cut -d' ' -f1)

openapi_stamp := $(VENV)/.openapi-tools-$(shell cksum <tests/openapi_tools/package-lock.json | cut -d' ' -f1)
axe_stamp := $(VENV)/.axe-$(shell cksum <tests/axe/package-lock.json | cut -d' ' -f1)
lighthouse_stamp := $(VENV)/.lighthouse-$(shell cksum <tests/lighthouse/package-lock.json | cut -d' ' -f1)
tus_stamp := $(VENV)/.tus-client-$(shell cksum <tests/tus_client/package-lock.json | cut -d' ' -f1)

.PHONY: help install install-test openapi-tools tus-client axe packages demo test screenshots lighthouse faults fuzz entering hostile-pdfs big-export check check-types check-rest format bench vectors openapi settings translations

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(run_stamp) ## the virtual environment, with what the service needs

install-test: $(test_stamp)

$(run_stamp):
	@.ci/venv $(PYTHON) $(VENV) requirements/run.txt
	@touch $@

$(test_stamp):
	@.ci/venv $(PYTHON) $(VENV) requirements/test.txt
	@touch $@ $(run_stamp)

openapi-tools: $(openapi_stamp)

$(openapi_stamp): | $(test_stamp)
	@.ci/npm-packages $(BIN)/python tests/openapi_tools $(VENV)/openapi-tools
	@if [ -d $(VENV)/openapi-tools ]; then touch $@; fi

tus-client: $(tus_stamp)

$(tus_stamp): | $(test_stamp)
	@.ci/npm-packages $(BIN)/python tests/tus_client $(VENV)/tus-client
	@if [ -d $(VENV)/tus-client ]; then touch $@; fi

axe: $(axe_stamp)

$(axe_stamp): | $(test_stamp)
	@.ci/npm-packages $(BIN)/python tests/axe $(VENV)/axe
	@if [ -d $(VENV)/axe ]; then touch $@; fi

demo: install ## everything here, with invented people: make demo DEMO="--port 0"
	@exec $(BIN)/unefois demo $(DEMO)

packages: ## as root: the programs that tests run beside the service
	@.ci/packages

test: install-test openapi-tools tus-client axe packages check ## everything; says at the end what was not run
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -q

faults: install-test packages ## each part taken away in turn, under load: prints the table
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -q tests/faults

fuzz: install-test packages ## mutated files, MINUTES a format: make fuzz MINUTES=10 FORMAT=pdf
	@FUZZ_MINUTES=$(MINUTES) $(BIN)/python -m pytest -q -s --timeout 0 tests/fuzz -k "$(FORMAT)"

entering: install-test packages ## people, phones, cards, PINs and meetings against a model, in STEPS steps
	@PIN_GUESSES=10000 $(BIN)/python -m pytest -q -s --timeout 0 tests/attacks/test_pins.py -k thousands
	@ENTERING_STEPS=$(STEPS) $(BIN)/python -m pytest -q -s --timeout 0 tests/attacks/entering/test_entering.py

hostile-pdfs: install-test packages ## every hostile feature in every way of writing: some thousand PDFs
	@PDF_COMBINATIONS=all $(BIN)/python -m pytest -q --timeout 0 tests/vault/decoding/pdfs/test_hostile.py

big-export: install-test packages ## an export of 500 papers of 2 MiB: its memory, kill -9, unzip
	@EXPORT_PAPERS=500 EXPORT_BYTES=2097152 $(BIN)/python -m pytest -q -s --timeout 0 tests/attacks/test_export_killed.py

check: install-test ## style, types, contracts, tables, generated files
	@$(MAKE) --no-print-directory -j 2 check-types check-rest

check-types: install-test # the longest, beside all the others
	$(BIN)/mypy

check-rest: install-test
	$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m tests.checks.unused
	$(BIN)/python -m tests.checks.readers
	$(BIN)/python -m tests.checks.names
	$(BIN)/python -m tests.checks.sizes
	$(BIN)/python -m tests.checks.layout
	$(BIN)/python -m web.tools.openapi --check
	$(BIN)/python -m web.tools.settings_doc --check
	$(BIN)/python -m web.tools.catalog --check
	$(BIN)/python -m tests.checks.tables
	$(BIN)/python -m tests.checks.addresses

format: install-test ## repair style and layout; prints what it could not repair
	@$(BIN)/ruff check -q --fix --exit-zero .
	@$(BIN)/ruff format -q .

screenshots: install-test packages ## a picture of every page of a demo, in build/screenshots
	@$(BIN)/python -m tests.screenshots build/screenshots

$(lighthouse_stamp): | $(test_stamp)
	@.ci/npm-packages $(BIN)/python tests/lighthouse $(VENV)/lighthouse
	@if [ -d $(VENV)/lighthouse ]; then touch $@; fi

lighthouse: install-test $(lighthouse_stamp) packages ## the main pages as Lighthouse measures them: 95 at least
	@$(BIN)/python -m tests.lighthouse

bench: install ## the ratios of speed and memory, each beside its floor
	@$(BIN)/python -m bench

vectors: install ## the published known answers of the sealed-file format
	@$(BIN)/python tests/vectors/check_published.py

openapi: install ## write openapi/v1.json
	@$(BIN)/python -m web.tools.openapi

settings: install ## write docs/settings.md
	@$(BIN)/python -m web.tools.settings_doc

translations: install ## bring the catalogues in step; lists what is left to translate
	@$(BIN)/python -m web.tools.catalog
