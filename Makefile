# One command for each thing. The environment in .venv is made on first use, and again when
# pyproject.toml or constraints.txt changes.

VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed

PYTHON ?= python3
# a python3 that is too old is passed over; a PYTHON that somebody named is not
PYTHONS := $(if $(filter file,$(origin PYTHON)),python3 python3.13 python3.12 python3.11,$(PYTHON))

UV ?= $(or $(shell command -v uv 2>/dev/null),$(VENV)/tools/bin/uv)

unexport PYTHONPATH PYTHONHOME
# bytecode that is kept halves the collection of tests, and every process that a test starts begins sooner
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-tools fuzz lint bench eval screenshots constraints clean

help:
	@echo "make demo         a real load test from admission to report, in under a minute"
	@echo "make test         everything that must hold: lint, types, import contracts, tests (ARGS=… goes to pytest)"
	@echo "make test-tools   real load tools against what is ingested of them; says how to install one that is missing"
	@echo "make lint         the first three only"
	@echo "make fuzz         10,000 damaged files of results (ARGS=\"SEED 1\" makes one of them again)"
	@echo "make bench        measurements beside named peers"
	@echo "make eval         how often verdicts are wrong, and what they find (QUICK=1: fewer; SERIES=folder of labelled series)"
	@echo "make screenshots  every page of the dashboard, in build/screenshots (ARGS=data/pictures makes the pictures of the README)"
	@echo "make constraints  pin the tested set again (UPGRADE=--upgrade for newer versions)"
	@echo "make clean        remove the environment and caches; data/ stays"

demo: $(STAMP)
	@$(RUN) -m ator_lib.cli demo

lint: $(STAMP)
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m ruff format --quiet --check .
	@$(RUN) -m mypy --no-error-summary --num-workers 2
	@$(VENV)/bin/lint-imports --no-cache >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }
	@echo "lint, types and import contracts hold"

test: lint
	@chromium=$$(sh scripts/find_chromium.sh $(RUN)) && \
	ATOR_CHROMIUM="$$chromium" $(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: $(STAMP)
	@$(RUN) -m tests.fuzz $(ARGS)

test-tools: $(STAMP)
	@$(RUN) -m pytest tests/tools $(ARGS)

bench: $(STAMP)
	@for file in benchmarks/[!_]*.py; do \
		case "$$file" in */eval_*) continue;; esac; \
		$(RUN) -m "benchmarks.$$(basename "$$file" .py)" || exit 1; \
	done

eval: $(STAMP)
	@for name in identical noise power; do \
		$(RUN) -m benchmarks.eval_$$name $(if $(QUICK),quick) || exit 1; \
	done
	@$(RUN) -m benchmarks.eval_change_points $(SERIES)

screenshots: $(STAMP)
	@chromium=$$(sh scripts/find_chromium.sh $(RUN)) && \
	ATOR_CHROMIUM="$$chromium" $(RUN) -m tests.screenshots build/screenshots $(ARGS)

$(STAMP): pyproject.toml constraints.txt
	@python=; for candidate in $(PYTHONS); do \
		"$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
			&& { python=$$candidate; break; }; \
	done; \
	if [ -z "$$python" ]; then \
		echo "ATOR needs Python 3.11 or newer with its venv module (tried: $(PYTHONS))." >&2; \
		echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$($$python -V): once, a few minutes"; \
	"$$python" -m venv $(VENV)
	@$(RUN) -m pip install --quiet --upgrade pip # the one that came with Python may take twice as long
	@$(RUN) -m pip install --quiet --no-compile --require-hashes -r constraints.txt # what is used is compiled when it is
	@$(RUN) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# One resolution for every supported Python and system: "fewest" keeps to the versions that are
# tested on the oldest Python. No address of an index is written into the file.
constraints: $(UV)
	@UV_SYSTEM_CERTS=1 $(UV) --no-config pip compile pyproject.toml --extra test --universal --python-version 3.11 \
		--fork-strategy fewest --generate-hashes --no-emit-index-url --no-header --quiet $(UPGRADE) -o constraints.txt

$(VENV)/tools/bin/uv: | $(STAMP)
	@$(RUN) -m venv $(VENV)/tools
	@$(VENV)/tools/bin/python -m pip install --quiet uv

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
