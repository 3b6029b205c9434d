# Citewire from a fresh clone. "make" alone lists the targets.
#
# Every step is skipped when its result is already there and valid, so a second run starts at once.
# Needed: python3 (3.11 or newer, with venv), a C and C++ compiler, make. The network is used by the set-up only.

PYTHON ?= python3
MODELS ?= minilm reader default
# More options for pip, such as another package index.
PIP_ARGS ?=
DATA ?=
Q ?=
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
RAG := $(BIN)/rag
OTHER := .venv-compare

# llama-cpp-python compiles llama.cpp. What is not used stays out, which halves the time: image models and TLS, and
# every program that is not a library.
CMAKE_ARGS ?= -DLLAVA_BUILD=OFF -DLLAMA_OPENSSL=OFF
SKBUILD_BUILD_TARGETS ?= llama;llama-common
BUILD := CMAKE_ARGS="$(CMAKE_ARGS)" SKBUILD_BUILD_TARGETS="$(SKBUILD_BUILD_TARGETS)"
INSTALL := $(BUILD) $(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt

MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup models chat ask question index check static test test-all hooks eval bench compare figures clean

help:
	@echo 'make chat            set up what is missing, bring the index up to date, open the page on 127.0.0.1'
	@echo 'make ask Q="..."     the same without a page: answer one question'
	@echo 'make check           lint, format, types, and the tests that need no model, server or browser: a minute'
	@echo 'make test            set up, check, then all tests, and questions beside the last accepted run'
	@echo 'make test-all        the same with every fault that can be tried, of which make test tries a sample'
	@echo 'make hooks           lint and format before each commit, make check before each push'
	@echo 'make eval            the evaluation suite (ARGS="..." are its options)'
	@echo 'make bench           how fast, how large and how exact the index is (20 minutes and 8 GB at a million chunks)'
	@echo 'make compare         other frameworks, plain RAG, and this program without its parts, on the same questions'
	@echo 'make figures         all figures of README and docs (an hour and more; DATA="folder of the public sets")'
	@echo 'make setup           the set-up alone: environment, packages, models'
	@echo 'make index           bring the index up to the articles in seeds/'
	@echo 'make clean           delete the index and all caches of this folder; environment and models stay'

setup: $(VENV)/.deps models

# "models get" returns at once when the file is there and its hash was seen to be right.
models: | $(VENV)/.deps
	@for name in $(MODELS); do $(RAG) models get $$name >&2 || exit; done

# The page and the question bring the index up to date first. Articles that cannot be read are named, and do not keep
# the others from being asked.
chat: setup
	@$(RAG) index || echo '==> Going on with the articles that could be read.'
	@$(BIN)/python app.py

# Q reaches the program through the environment and as it was typed, so quotes and dollar signs in it are harmless.
# Status 3, "the articles do not say", is an answer and no error of make.
override Q := $(value Q)
export Q
ask: question setup
	@$(RAG) index >&2 || echo '==> Going on with the articles that could be read.' >&2
	@$(RAG) ask $(ARGS) -- "$$Q" || [ $$? -eq 3 ]

question:
	@[ -n "$$Q" ] || { echo 'make ask needs a question: make ask Q="How long did the meeting last?"' >&2; exit 2; }

index: setup
	@$(RAG) index

static: $(VENV)/.deps-dev
	@echo '==> Lint and format'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo '==> Types: about a minute the first time'
	@$(BIN)/mypy

check: static
	@echo '==> Tests that need no model, server or browser'
	@$(BIN)/python -m pytest -q -m 'not (model or server or browser or slow)' $(ARGS)

test: MODELS := minilm reader default tiny
test: static models
	@echo '==> Tests, with the real models: a few minutes'
	@$(BIN)/python -m pytest $(ARGS)
	@echo '==> Quality: questions beside the accepted run (eval/baseline.json), 2 minutes'
	@$(RAG) index >/dev/null
	@$(RAG) eval --gate --model none --out eval/runs/gate-none
	@$(RAG) eval --gate --limit 16 --out eval/runs/gate-default

test-all: ARGS += --whole
test-all: test

hooks: $(VENV)/.deps-dev
	@$(BIN)/pre-commit install

eval: setup
	@$(RAG) index || echo '==> Going on with the articles that could be read.'
	@$(RAG) eval $(ARGS)

bench: $(VENV)/.deps-dev models
	@$(BIN)/python -m eval.bench $(ARGS)

# The frameworks live in an environment of their own: they pin other versions than this program.
compare: MODELS := minilm reader default small
compare: setup $(OTHER)/.deps
	@$(BIN)/python -m eval.compare --python $(OTHER)/bin/python $(ARGS)

figures: MODELS := minilm reader default small
figures: setup $(OTHER)/.deps
	@$(BIN)/python -m eval.compare.figures --python $(OTHER)/bin/python $(if $(DATA),--data '$(DATA)') $(ARGS)

$(OTHER)/.deps: eval/compare/requirements.txt constraints.txt
	@'$(PYTHON)' -m venv $(OTHER)
	@$(BUILD) $(OTHER)/bin/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -r $<
	@touch $@

clean:
	find index -mindepth 1 ! -name README.md -delete
	rm -rf build eval/runs .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find rag eval tests training -name __pycache__ -prune -exec rm -rf {} +
	@echo 'Kept: $(VENV) (delete it by hand to make it anew) and the models (see: rag models).'

# The environment. A folder that holds a working one is kept; anything else is completed.
$(VENV)/.made:
	@command -v '$(PYTHON)' >/dev/null || { \
	  echo '$(PYTHON) is not here. On Debian: sudo apt-get install python3 python3-venv build-essential' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, $(PYTHON) is $$('$(PYTHON)' --version); name another: make PYTHON=python3.12" >&2; exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make environments. On Debian: sudo apt-get install python3-venv build-essential" >&2; exit 1; }
	@for tool in $${CC:-cc} $${CXX:-c++}; do command -v "$${tool%% *}" >/dev/null || { \
	  echo "No compiler ($$tool) is here. On Debian: sudo apt-get install build-essential python3-venv" >&2; exit 1; }; done
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  echo '==> Making the environment $(VENV): about 10 seconds'; '$(PYTHON)' -m venv $(VENV); fi
	@touch $@

# Written last, so that an interrupted installation is taken up again; pip keeps what it downloaded and compiled.
$(VENV)/.deps: pyproject.toml constraints.txt | $(VENV)/.made
	@echo '==> Installing packages: about 0.6 GB to download (several GB where torch comes with CUDA), then'
	@echo '    llama.cpp is compiled: about 4 minutes on 2 cores, once; pip keeps the result for the next time.'
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.deps-dev: pyproject.toml constraints.txt | $(VENV)/.made
	@echo '==> Installing packages, those for tests included: about 0.7 GB to download (several GB where torch comes'
	@echo '    with CUDA), then llama.cpp is compiled: about 4 minutes on 2 cores, once; pip keeps the result.'
	@$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.deps
