# One gate for people and for CI. `make help` lists the targets.
# A new machine needs Python 3.11 or newer, make, and access to PyPI and npm.

PYTHON ?= python3
# Name of the stage that `stage-file`, `bootstrap`, `synth`, `diff`, `deploy`, `outputs`, `destroy`, `import-data`, `pause-intake`, `restore-rows` and the targets of keys and secrets work on.
STAGE ?= dev
# Settings of the stack for this once: CONTEXT="key=value key=value". The stage's file, stages/<stage>.toml, has those that stay.
CONTEXT ?=
# The provider that produces the insights. The local stack has a default, a stage on AWS has none.
PROVIDER ?=
# TESTS=1: `up` and `down` work on the stack of the deployed tests.
TESTS ?=
# The demo: a recording of your own instead of the sample.
RECORDING ?=
# The demo: number of MP4s that Agora makes of the recording.
PARTS ?=
# The demo: MODE=individual records a track for each speaker instead of one MP4.
MODE ?=
# The demo, with MODE=individual: STREAM_MODE=original records the tracks as they were sent, one of them with a gap.
STREAM_MODE ?=
# JSON=1: `demo`, `bench`, `fuzz`, `faults`, `lint-cloud`, `audit`, `outputs`, `stage-file`, `destroy`, `pause-intake`, `agora-key`, `webhook-key`, `secrets` and `restore-rows` print their result as JSON on standard output.
JSON ?=
# The benchmark: remux, wait, queue, deployed_queue or insights.
BENCH ?= remux
# The benchmark of insights: the id of a model or a profile on Amazon Bedrock. MODEL_URL=address asks a server with OpenAI's chat completions.
MODEL ?=
# DELETE=1: `agora-key` deletes user, key and secret; `secrets` removes what it has copied; `down` deletes the state of the local stack, and its stand-ins end.
DELETE ?=
# FORCE=1: `webhook-key` rotates although running jobs may have tokens of the key before the former one; `deploy` takes a
# provider away although media objects need it; `restore-rows` replaces rows that are there, and `stage-file` a file.
FORCE ?=
# YES=1: `deploy` does not ask before it widens rights, `destroy` not before it deletes. Without a terminal, `deploy`
# never asks and `destroy` refuses.
YES ?=
# RESUME=1: `pause-intake` ends the pause.
RESUME ?=
# REVOKE=1: `agora-key` also ends all upload credentials that were issued until now; `webhook-key` ends the former key.
REVOKE ?=
# `restore-rows`: the name of a restored table, and the recording whose rows are copied, all of them by default.
FROM ?=
RECORDING_ID ?=
# DRY_RUN=1: `destroy` deletes nothing.
DRY_RUN ?=
# `import-data`: the file that `destroy` wrote of the data that stays.
DATA ?=
# The fuzzers: FUZZ_MINUTES=10, ONLY="reply of" (part of a name, also for `faults` and the benchmark of insights), SEED=number repeats a run.
FUZZ_MINUTES ?= 10
ONLY ?=
SEED ?=
# SHORT=1: `faults` makes one run of each fault, with one provider for each way of waiting.
SHORT ?=
# Processes that run tests side by side. Two of them have a local stack each, and wait for it half of the time.
WORKERS ?= 4

VENV := .venv/bin
export PATH := $(CURDIR)/$(VENV):$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
# Python keeps what it compiles. Some images turn that off; each of the processes of the tests would then compile all
# it imports: CDK alone takes 5 s.
unexport PYTHONDONTWRITEBYTECODE
CDK := node_modules/.bin/cdk
LOCAL := $(strip $(if $(PROVIDER),provider=$(PROVIDER)) $(CONTEXT))
SETTINGS := -c stage=$(STAGE) $(if $(PROVIDER),-c provider=$(PROVIDER)) $(foreach setting,$(CONTEXT),-c $(setting))
# The same for our own commands, in quotes for the shell, so that CONTEXT may have quotes, blanks and JSON.
quoted = '$(subst ','\'',$(1))'
TYPED = --stage $(call quoted,$(STAGE)) $(if $(PROVIDER),-c $(call quoted,provider=$(PROVIDER))) $(if $(CONTEXT),--settings $(call quoted,$(CONTEXT)))

# CPU seconds that `make test` may need, on the machine that docs/testing.md describes, with what to do about more.
CPU_BUDGET := 900

# The Python that runs the functions on AWS.
PYTHON_3_13 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13) python3.13)
PYTHON_3_13_INSTALLED := .local/python3.13/installed
# The lowest boto3 that the functions may meet there.
LAMBDA_BOTO3 := tests/unit/requirements-lambda-lock.txt

# The tools of `make lint-cloud`, each Python tool in an environment of its own.
LINT_CLOUD := .local/lint_cloud
# The tools of `make audit` and `make sbom`.
AUDIT := .local/dependencies

.PHONY: demo help up down test test-all suite mutants fuzz faults lint-cloud lock update audit sbom unit bench openapi check format stage-file bootstrap synth diff deploy outputs pause-intake agora-key webhook-key secrets restore-rows destroy import-data install clean

demo: install ## Record a sample conversation and follow it to its insights (RECORDING=file for your own)
	@$(VENV)/python -m sandbox demo $(if $(RECORDING),--recording "$(RECORDING)") $(if $(PARTS),--parts $(PARTS)) $(if $(MODE),--mode $(MODE)) $(if $(STREAM_MODE),--stream-mode $(STREAM_MODE)) $(if $(JSON),--json) $(if $(LOCAL),--context "$(LOCAL)")

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

up: install ## Start or update the local stack and leave it running (TESTS=1: that of the deployed tests)
	@$(VENV)/python -m sandbox up $(if $(TESTS),--tests) $(if $(LOCAL),--context "$(LOCAL)")

down: ## Stop the local stack and keep its state for `make up` (DELETE=1: delete it; TESTS=1: that of the deployed tests)
	@if [ -x $(VENV)/python ]; then $(VENV)/python -m sandbox down $(if $(TESTS),--tests) $(if $(DELETE),--delete); fi

test: install ## Run the checks and the tests, those of two deployed local stacks included (about 7 minutes)
	@$(MAKE) --no-print-directory -j2 check suite

suite: .local/compiled
	$(VENV)/pytest -n $(WORKERS) -m "not matrix" --cpu-budget $(CPU_BUDGET)

# Without this, each worker of the first run would compile all tests and all libraries, at the same time as the others.
.local/compiled: .local/installed
	@echo "Compiling the tests and their libraries (once, about half a minute) ..."
	@$(VENV)/pytest --collect-only --quiet >/dev/null || true
	@touch $@

test-all: install check $(PYTHON_3_13_INSTALLED) ## Run every test, the matrices too, with branch coverage; the unit tests as on Lambda too
	$(VENV)/pytest -n $(WORKERS) --cov --cov-report=term:skip-covered --cov-report=json:.local/coverage.json
	@# A boto3 of 2024 warns of its own code on Python 3.13. Every other warning is an error.
	.local/python3.13/bin/python -m pytest -n $(WORKERS) -W "ignore:datetime.datetime.utcnow:DeprecationWarning" tests/unit

mutants: install ## Change the code in 300 places, and see whether a unit test notices each change
	$(VENV)/python -m mutants

fuzz: install ## Damage inputs of every kind for FUZZ_MINUTES, and check what must hold (ONLY=name, SEED=number, JSON=1)
	@PYTHONPATH=functions $(VENV)/python -m tests.fuzz --minutes $(FUZZ_MINUTES) $(if $(ONLY),--only "$(ONLY)") $(if $(SEED),--seed $(SEED)) $(if $(JSON),--json)

faults: install ## Make every fault with every provider, print the table and write docs/reliability.md (SHORT=1, ONLY=name, JSON=1)
	@PYTHONPATH=functions $(VENV)/python -m tests.faults $(if $(SHORT),--short) $(if $(ONLY),--only "$(ONLY)") $(if $(JSON),--json)

lint-cloud: install $(LINT_CLOUD)/installed ## Check the templates with cfn-lint, checkov and asl-validator, JSONata with its reference (JSON=1)
	@$(VENV)/python -m lint_cloud --workers $(WORKERS) $(if $(JSON),--json)

lock: install ## Write the lock files anew after a change of a requirements file; what still fits stays
	@$(VENV)/python -m dependencies lock

update: install ## Write the lock files anew with the newest versions that the requirements files allow
	@$(VENV)/python -m dependencies update

audit: install $(AUDIT)/installed ## Look for known vulnerabilities of all locked packages (JSON=1); 2: not everything was checked
	@$(VENV)/python -m dependencies audit $(if $(JSON),--json)

sbom: install $(AUDIT)/installed ## Write the bills of materials of the Lambda packages (CycloneDX) into .local/sbom
	@$(VENV)/python -m dependencies sbom

unit: install ## Run the unit tests only
	$(VENV)/pytest -n $(WORKERS) tests/unit

bench: install ## Measure the remux beside FFmpeg (FFMPEG=path), polls (BENCH=wait) or queues (BENCH=queue) beside the best ones, or what a model finds (BENCH=insights) (JSON=1, PLOT=dir)
	@PYTHONPATH=functions:. $(VENV)/python -m benchmarks.$(BENCH) $(if $(FFMPEG),--ffmpeg "$(FFMPEG)") $(if $(PLOT),--plot "$(PLOT)") $(if $(MODEL),--model "$(MODEL)") $(if $(ONLY),--only "$(ONLY)") $(if $(JSON),--json)

openapi: install ## Write docs/openapi.json and docs/events.schema.json anew, after a change of the API or the events
	@PYTHONPATH=functions:. $(VENV)/python -m infra.openapi
	@PYTHONPATH=functions:. $(VENV)/python -m infra.event_schemas

check: install ## Check format, lint and types
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy

format: install ## Format the code, and fix what the linter can fix
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix .

stage-file: install ## Write stages/STAGE.toml from the deployed stack, or from PROVIDER and CONTEXT (FORCE=1; JSON=1)
	@$(VENV)/python -m operations.write_stage_file $(TYPED) $(if $(FORCE),--force) $(if $(JSON),--json)

bootstrap: install ## Prepare the account and region of STAGE for the CDK, once for both
	@$(VENV)/python -m operations.cdk bootstrap $(TYPED)

synth: install ## Write the CloudFormation template of STAGE; needs no AWS credentials
	@$(VENV)/python -m operations.cdk synth $(TYPED)

diff: install ## Show what `deploy` would change
	@$(VENV)/python -m operations.cdk diff $(TYPED)

deploy: install ## Deploy STAGE to your AWS account (YES=1 does not ask; FORCE=1 removes a provider that is needed)
	@$(VENV)/python -m operations.cdk deploy $(TYPED) $(if $(YES),--yes) $(if $(FORCE),--force)

outputs: install ## Show the outputs of the deployed STAGE (JSON=1)
	@$(VENV)/python -m operations.outputs --stage "$(STAGE)" $(if $(JSON),--json)

pause-intake: install ## Keep arrivals in their queue and start no recordings, before an upgrade (RESUME=1 ends it; JSON=1)
	@$(VENV)/python -m operations.pause_intake --stage "$(STAGE)" $(if $(RESUME),--resume) $(if $(JSON),--json)

agora-key: install ## Create or rotate the key that signs Agora's upload credentials (JSON=1; REVOKE=1; DELETE=1)
	@$(VENV)/python -m operations.agora_key --stage "$(STAGE)" $(if $(DELETE),--delete) $(if $(REVOKE),--revoke) $(if $(JSON),--json)

webhook-key: install ## Rotate the key that makes the tokens of callbacks (JSON=1; FORCE=1 early; REVOKE=1 ends the former key)
	@$(VENV)/python -m operations.webhook_key --stage "$(STAGE)" $(if $(FORCE),--force) $(if $(REVOKE),--revoke) $(if $(JSON),--json)

secrets: install ## Copy keys of earlier releases to secrets of their own (JSON=1; DELETE=1 removes them where they were)
	@$(VENV)/python -m operations.move_secrets --stage "$(STAGE)" $(if $(DELETE),--delete) $(if $(JSON),--json)

retention: install ## Show what the days of the settings would delete now; deletes nothing (JSON=1)
	@$(VENV)/python -m operations.retention --stage "$(STAGE)" $(SETTINGS) $(if $(JSON),--json)

restore-rows: install ## Copy the rows of a restored table, FROM=name, back into that of STAGE (RECORDING_ID=id; FORCE=1; JSON=1)
	@$(VENV)/python -m operations.restore_rows --stage "$(STAGE)" --source "$(FROM)" $(if $(RECORDING_ID),--recording-id "$(RECORDING_ID)") $(if $(FORCE),--force) $(if $(JSON),--json)

destroy: install ## Say what goes and what stays, ask, and delete STAGE (DRY_RUN=1 only says it; YES=1 does not ask; JSON=1)
	@$(VENV)/python -m operations.destroy --stage $(call quoted,$(STAGE)) $(if $(YES),--yes) $(if $(DRY_RUN),--dry-run) $(if $(JSON),--json)

import-data: install ## Put the data that a deleted stage left, DATA=file, under a new stack of STAGE; `make deploy` goes on from there
	@$(VENV)/python -m operations.cdk import $(TYPED) --mapping "$(DATA)"

install: .local/installed ## Install all tools into .venv and node_modules; targets that need them do this first

# Every Python package comes from a lock, and its file must have a hash of the lock. See CONTRIBUTING.md.
# Runs again when a lock changes.
ALONE := tests/clients/requirements-without-dependencies-lock.txt
UV := dependencies/uv-requirements-lock.txt
.local/installed: requirements-lock.txt $(ALONE) $(UV) package.json package-lock.json pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("This project needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + ". Run: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	@echo "Installing Python packages into .venv (once, about half a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(VENV)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $(UV)
	@# uv is faster than pip. But pip knows every mirror and proxy that a company has configured.
	@VIRTUAL_ENV=.venv $(VENV)/uv pip install --quiet --require-hashes --requirement requirements-lock.txt \
	  || { echo "uv failed. Trying pip (some minutes) ..."; $(VENV)/pip install --disable-pip-version-check --require-hashes --requirement requirements-lock.txt; }
	@$(VENV)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $(ALONE)
	@# The command `recordings`, which runs the code of this folder.
	@VIRTUAL_ENV=.venv $(VENV)/uv pip install --quiet --no-deps --no-build-isolation --offline --editable .
	@echo "Installing the CDK command line into node_modules ..."
	@$(VENV)/npm ci --silent --no-audit --no-fund
	@mkdir -p .local && touch $@

$(PYTHON_3_13_INSTALLED): $(LAMBDA_BOTO3) | install
	@$(PYTHON_3_13) --version >/dev/null || { echo "The functions run on Python 3.13, which was not found. Run: make PYTHON_3_13=/path/to/python3.13 test-all"; exit 1; }
	@echo "Installing Python packages for Python 3.13 into .local/python3.13 ..."
	@$(PYTHON_3_13) -m venv --without-pip .local/python3.13
	@# ministack asks for a newer boto3. No unit test runs it, and the lock is complete.
	@VIRTUAL_ENV=.local/python3.13 $(VENV)/uv pip install --quiet --no-deps --require-hashes --requirement $(LAMBDA_BOTO3)
	@touch $@

$(LINT_CLOUD)/installed: $(wildcard lint_cloud/*-lock.txt lint_cloud/package*.json) | install
	@echo "Installing cfn-lint, checkov, asl-validator and JSONata into $(LINT_CLOUD) ..."
	@mkdir -p $(LINT_CLOUD)
	@for tool in cfn-lint checkov; do \
	  $(PYTHON) -m venv --without-pip $(LINT_CLOUD)/$$tool && VIRTUAL_ENV=$(LINT_CLOUD)/$$tool \
	  $(VENV)/uv pip install --quiet --require-hashes --requirement lint_cloud/$$tool-requirements-lock.txt || exit 1; done
	@cp lint_cloud/package.json lint_cloud/package-lock.json $(LINT_CLOUD)
	@$(VENV)/npm ci --prefix $(LINT_CLOUD) --silent --no-audit --no-fund
	@touch $@

$(AUDIT)/installed: dependencies/requirements-lock.txt | install
	@echo "Installing pip-audit and cyclonedx-bom into $(AUDIT) ..."
	@$(PYTHON) -m venv --without-pip $(AUDIT)
	@VIRTUAL_ENV=$(AUDIT) $(VENV)/uv pip install --quiet --require-hashes --requirement dependencies/requirements-lock.txt
	@touch $@

clean: DELETE := 1
clean: down ## Stop the local stack; delete everything that was installed or built
	rm -rf .venv node_modules cdk.out .local
