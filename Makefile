# The names that people and CI use. Every target sets up what it needs first; what is there is skipped.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo up test check fmt e2e faults stacks bench build clean setup setup-tests static

help: ## this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-7s %s\n", $$1, $$2}'

demo: setup ## set everything up, start the server, take one prompt to a proved pull request
	@$(BIN)/outrider demo
	@echo "The server goes on running. To stop it: $(BIN)/outrider down"

up: setup ## set everything up and run the server until Ctrl-C
	@$(BIN)/outrider up

test: setup-tests static ## set everything up and run everything that can fail
	scripts/npm test
	$(BIN)/pytest -rfEs --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: setup-tests static ## the quick part: format, lint, types, import contracts, unit tests
	$(BIN)/pytest tests/unit tests/architecture

fmt: setup ## put every file into the agreed form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

e2e: setup-tests ## the whole product, clicked through in a browser
	$(BIN)/pytest tests/e2e

faults: setup-tests ## two hundred random schedules of people, kills and reconnects; SEED=7 plays one that failed again
	OUTRIDER_FAULT_SEEDS=$${SEED:-$${OUTRIDER_FAULT_SEEDS:-1-200}} OUTRIDER_FAULT_REPLAY=$$SEED $(BIN)/pytest --numprocesses 2 tests/faults

stacks: setup-tests ## the large stacks (desktop, IDE): built once, some minutes, then tried
	$(BIN)/pytest -m stacks tests/integration

bench: setup ## the benchmarks; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

build: setup ## the wheel, with the web page in it
	.state/tools/bin/uv build --wheel

clean: ## what was built here; sessions and images in Outrider's home stay
	rm -rf .venv .state dist build artifacts clients/node_modules clients/web/dist src/outrider/api/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@$(PYTHON) scripts/setup.py

setup-tests:
	@$(PYTHON) scripts/setup.py --tests

static:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	scripts/npm run lint
	scripts/npm run types
