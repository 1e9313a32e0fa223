# What can be done here; `make` alone lists it. Needs git, make and Python 3.11 or later, nothing else.

PYTHON ?=
PORT ?= 4318
GRPC_PORT ?= 4317
DATA ?= .watchglass
DEMO ?= yes

VENV := .venv
BIN := $(VENV)/bin
CREWAI := .venv-crewai
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# The type checker brings its own Node.js as a wheel; it must neither use another nor download one.
PYRIGHT := PYRIGHT_PYTHON_GLOBAL_NODE=0 PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

# Many processes are started, and without its bytecode each would compile all of watchglass again: 0.8 s of processor.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up app wheel screenshots test test-long test-crewai check format docs bench constraints clean

help: ## list what can be done
	@echo "make <what>:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/  \1  \2/p' Makefile | while read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done
	@echo "Variables: PYTHON=<python 3.11 or later> PORT=$(PORT) GRPC_PORT=$(GRPC_PORT) DATA=$(DATA) DEMO=yes|no"

up: $(VENV)/.server ## install, start the server with demo traffic, stay until Ctrl-C
	@$(BIN)/python web/build.py
	@exec $(BIN)/watchglass up --data "$(DATA)" --port $(PORT) --grpc-port $(GRPC_PORT) $(if $(filter no,$(DEMO)),--no-demo)

app: $(VENV)/.server ## build the app, if its sources changed
	@$(BIN)/python web/build.py

wheel: $(VENV)/.dev app ## make the packages in dist/, with the app built
	$(BIN)/python -m hatchling build --clean -t sdist -t wheel

screenshots: $(VENV)/.dev app ## make docs/screenshots of every page, with a Chromium of this machine
	$(BIN)/python docs/screenshots.py

test: $(VENV)/.dev app ## run the tests
	$(BIN)/python web/build.py test
	$(BIN)/python -m pytest -q -n 2

test-long: $(VENV)/.dev app ## run the tests with those that take long: soak, many kills, large data, the real CrewAI
	$(BIN)/python -m pytest -q -m "long or not long" --hypothesis-profile search
	@$(MAKE) --no-print-directory test-crewai

test-crewai: $(CREWAI)/.done ## run the tests with the real CrewAI, in an environment of its own
	$(CREWAI)/bin/python -m pytest -q --disable-warnings -m "long or not long" tests_crewai

check: $(VENV)/.dev ## check format, lint, types, imports, and that the reference in docs/ is up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(PYRIGHT)
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/python web/build.py check

format: $(VENV)/.dev ## format the code and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python web/build.py format

docs: $(VENV)/.dev ## generate docs/reference and web/openapi.json from the code
	$(BIN)/python docs/generate.py

bench: $(VENV)/.dev ## measure, and write bench/RESULTS.md
	$(BIN)/python bench/run.py

constraints: ## pin the newest versions of all dependencies in constraints.txt
	@rm -rf build/constraints && mkdir -p build
	@$(call find_python); "$$python" -m venv build/constraints
	build/constraints/bin/python -m pip install -q -e '.[server,app,dev]'
	@head -n 2 constraints.txt > build/constraints.txt
	@build/constraints/bin/python -m pip freeze --exclude-editable \
	  | sed 's/^uvloop==.*/&; sys_platform != "win32"/' >> build/constraints.txt
	@mv build/constraints.txt constraints.txt && rm -rf build/constraints

clean: ## remove the virtual environment and everything made; data stays
	rm -rf $(VENV) $(CREWAI) build dist web/node_modules web/dist src/watchglass/surfaces/web .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Sets $$python to the one named by PYTHON, else to the first on the path that is new enough.
define find_python
python=; for each in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
  if "$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$each; break; fi; \
done; \
if [ -z "$$python" ]; then \
  echo "No Python 3.11 or later found ($(or $(PYTHON),python3 python3.13 python3.12 python3.11 python)); install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; \
fi; \
if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
  echo "$$python cannot make virtual environments; on Debian and Ubuntu: apt install $$("$$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 1; \
fi
endef

$(BIN)/python:
	@$(call find_python); \
	echo "Making a virtual environment in $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The stamps are newer than what they were made from, so a second run installs nothing.
$(VENV)/.server: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing watchglass and what it needs into $(VENV): about 400 MB, a minute or two, only this once"
	@$(PIP) install -c constraints.txt -e '.[server,app]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing watchglass, what it needs and the tools of its developers into $(VENV): a minute or two, only this once"
	@$(PIP) install -c constraints.txt -e '.[server,app,dev]'
	@touch $(VENV)/.server $@

# CrewAI with what it was tested with, and of watchglass only what an application has: no server, no tools.
$(CREWAI)/.done: pyproject.toml constraints-crewai.txt
	@$(call find_python); test -x $(CREWAI)/bin/python || "$$python" -m venv $(CREWAI)
	@echo "Installing CrewAI and watchglass into $(CREWAI): about 1 GB, some minutes, only this once"
	@$(CREWAI)/bin/python -m pip --disable-pip-version-check --no-input install -q -c constraints-crewai.txt \
	  -e . 'crewai[anthropic,litellm]' pytest pytest-timeout
	@touch $@
