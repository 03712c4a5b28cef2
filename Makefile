# Every target sets up what it needs: Python 3.11 and make are enough to begin with.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
PEERS ?= .venv-peers
AUDIT ?= .venv-audit
AUDIT_TOOLS := pip-audit==2.10.1 cyclonedx-bom==7.5.0
RELEASED ?= .venv-released
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' attnstudy/__init__.py)
SBOM ?= build/attnstudy-$(VERSION).cdx.json
# more than cores: many tests wait for servers and workers
PYTEST_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
PYTEST_ARGS ?= -n $(PYTEST_WORKERS) --dist loadgroup -q
# Every store is synced to the disk at each step, which tests would wait for: a machine that has 8 GB
# of shared memory keeps them there, and takes a fifth less time.
export PYTEST_DEBUG_TEMPROOT ?= $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 8e6 {print $$6}')
PYTEST = $(BIN)/python -m pytest $(PYTEST_ARGS) --durations=25 --junitxml=build/$@.xml
# Python compiles what is imported, a small part of all that is installed, and keeps it: where it
# may not, each of the many processes that demo and tests start would compile torch and MLflow anew.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
  -c constraints.txt

.PHONY: demo test test-rest test-all check secrets audit pins sbom simulate simulate-peers bench bench-fused bench-scaling bench-peers chaos
.PHONY: bench-short fuzz docs clean help
.DELETE_ON_ERROR:

help:
	@echo "make demo   train the four placements on the embedded dataset and rank them"
	@echo "make test   run the tests that prove the product, in some minutes"
	@echo "make test-rest  run the others: kills, faults, clusters, databases, many cases"
	@echo "make test-all   run both and print what they cover"
	@echo "make check  lint, types, layers, documentation"
	@echo "make simulate  measure what the ranking promises (some minutes), write docs/calibration.md"
	@echo "make simulate-peers  the same noise for other tools; then make simulate"
	@echo "make bench  time ranking, training and bookkeeping beside others; BENCH_ARGS=--short"
	@echo "make bench-short  time runs that do nothing beside Optuna, joblib and submitit"
	@echo "make bench-fused  time seeds trained at once beside each alone; on a GPU also CUDA graphs"
	@echo "make bench-scaling  measure what grows, into benchmarks/results; SCALING_ARGS=runs --runs 1000"
	@echo "make bench-peers  time the ranking beside other tools"
	@echo "make chaos  kill studies at every named place and at random moments"
	@echo "make fuzz   read 10,000 tables in random layouts whose truth is known; FUZZ_SEED=0"
	@echo "make docs   write docs/cli.md and the pictures, and the site into build/site"
	@echo "make secrets  create the passwords of the team's stack, in docker/secrets"
	@echo "make audit  look up which versions of constraints.txt and images of docker/ have known"
	@echo "            vulnerabilities or are old (network)"
	@echo "make pins   write the newest images and their digests into docker/ (network)"
	@echo "make sbom   write what a release consists of, as CycloneDX, into build/"
	@echo "make clean  remove the environment and caches"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.installed

DEMO_STORE ?= demo/mlruns
DEMO_SEEDS ?= 5
DEMO_EPOCHS ?= 4
DEMO := --study demo --store $(DEMO_STORE)
demo: $(VENV)/.installed
	$(BIN)/attnstudy run $(DEMO) --dataset digits --epochs $(DEMO_EPOCHS) \
	  --variant all --seeds $(DEMO_SEEDS)
	@echo
	$(BIN)/attnstudy rank $(DEMO)
	@echo
	@echo "Browse the runs: $(BIN)/attnstudy ui --store $(DEMO_STORE)"

test: $(VENV)/.installed-dev
	$(PYTEST) -m "not rest"

test-rest: $(VENV)/.installed-dev
	$(PYTEST) -m rest

test-all: $(VENV)/.installed-dev
	$(PYTEST) --cov --cov-report=term:skip-covered

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/shellcheck docker/scripts/*.sh
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose*.yaml
	$(BIN)/python docs/write_cli.py --check
	$(BIN)/python docs/make_figures.py --check
	$(SITE)

# not --quiet: then warnings are not counted, and --strict lets them pass;
# without the variable, its theme prints a notice about the future of mkdocs each time
SITE = NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
# FIGURES=--report also photographs the page of a ranking, with chromium
docs: $(VENV)/.installed-dev
	$(BIN)/python docs/write_cli.py
	$(BIN)/python docs/make_figures.py $(FIGURES)
	$(SITE)
	@echo "build/site/index.html"

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(PIP) -e '.[bench]'
	@touch $@

# BENCH_DATA: a folder with CIFAR-10 as parquet; without it, it is downloaded. With --short the
# overhead is measured on the embedded digits, where it is largest.
bench: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/overhead.py $(if $(findstring --short,$(BENCH_ARGS)),,$(BENCH_DATA))
	$(BIN)/python -m benchmarks.training $(BENCH_ARGS) $(BENCH_DATA)

SHORT_ARGS ?=
bench-short: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.short_runs $(SHORT_ARGS)

# on a CPU with a few updates: FUSED_ARGS="--seeds 2 --updates 4"
bench-fused: $(VENV)/.installed
	$(BIN)/python -m benchmarks.fusing --write $(FUSED_ARGS)

# all parts take an hour or two; SCALING_ARGS names some, and their sizes
bench-scaling: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.scaling $(SCALING_ARGS)

CHAOS_KILLS ?= 200
chaos: $(VENV)/.installed-dev
	ATTNSTUDY_CHAOS=1 $(BIN)/python -m pytest $(PYTEST_ARGS) tests/crashes tests/faults
	ATTNSTUDY_CHAOS=1 $(BIN)/python -m pytest $(PYTEST_ARGS) -m long --ignore tests/crashes
	$(BIN)/python benchmarks/chaos.py $(CHAOS_KILLS)

FUZZ_TABLES ?= 10000
FUZZ_SEED ?= 0
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzzing $(FUZZ_TABLES) --seed $(FUZZ_SEED)

simulate: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.simulate

# The peers do not go with our versions, and nothing needs them: an environment of their own.
$(PEERS)/.installed: benchmarks/peers.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	@touch $@

bench-peers: $(PEERS)/.installed
	$(PEERS)/bin/python -m benchmarks.peers.speed

simulate-peers: $(PEERS)/.installed
	$(PEERS)/bin/python -m benchmarks.peers.simulate
	$(PEERS)/bin/python -m benchmarks.peers.over_tasks

# What the team's stack keeps secret; whatever is there already is left alone.
secrets:
	$(PYTHON) docker/scripts/make_secrets.py docker/secrets

# An environment of its own: what they bring along goes with nothing here.
$(AUDIT)/.installed: Makefile
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check $(AUDIT_TOOLS)
	@touch $@

# both, whatever the first one finds
audit: $(AUDIT)/.installed
	@failed=0; \
	$(AUDIT)/bin/python docker/check_images.py || failed=$$?; \
	$(AUDIT)/bin/python docker/check_constraints.py || failed=$$?; \
	exit $$failed

pins: $(AUDIT)/.installed
	$(AUDIT)/bin/python docker/check_images.py --write

# What users install, and no pip: it is no part of a release.
$(RELEASED)/.installed-released: pyproject.toml constraints.txt attnstudy/__init__.py | $(AUDIT)/.installed
	$(PYTHON) -m venv --clear --without-pip $(RELEASED)
	$(AUDIT)/bin/python -m pip --python $(RELEASED)/bin/python install --quiet \
	  --disable-pip-version-check --no-compile -c constraints.txt '.[postgres,ray,server,variance]'
	@touch $@

# The version stands in the package, where the tool does not look.
sbom: $(AUDIT)/.installed $(RELEASED)/.installed-released
	mkdir -p $(dir $(SBOM)) build
	sed 's/^dynamic = \["version"\]$$/version = "$(VERSION)"/' pyproject.toml >build/sbom.toml
	$(AUDIT)/bin/cyclonedx-py environment --output-reproducible --validate \
	  --pyproject build/sbom.toml --output-file $(SBOM) $(RELEASED)/bin/python
	@rm build/sbom.toml
	@echo "$(SBOM)"

clean:
	rm -rf $(VENV) $(PEERS) $(AUDIT) $(RELEASED) demo build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
