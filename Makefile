# One gate for people and CI. A fresh machine needs Python 3.11 or newer, make and a way to the package registries.

PYTHON ?= python3
STAGE ?= dev
# "key=value key=value": settings of the stack, see README.md.
CONTEXT ?=
RECORDING ?=
# PARTS=3: into how many MP4s Agora cuts the demo's recording.
PARTS ?=
# MODE=individual: a track for each speaker instead of an MP4; STREAM_MODE=original: as it was sent, with a mute in it.
MODE ?=
STREAM_MODE ?=
# JSON=1: the demo's insights (or the bench's figures) as JSON on standard output.
JSON ?=
# DELETE=1: what agora-key makes is deleted instead.
DELETE ?=
# Who gets the recordings; the local stack has a default, a stage on AWS has none.
PROVIDER ?=

UV_VERSION := 0.13.9
VENV := .venv/bin
export PATH := $(CURDIR)/$(VENV):$(PATH)
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
CDK := node_modules/.bin/cdk
LOCAL := $(strip $(if $(PROVIDER),provider=$(PROVIDER)) $(CONTEXT))
SETTINGS := -c stage=$(STAGE) $(if $(PROVIDER),-c provider=$(PROVIDER)) $(foreach setting,$(CONTEXT),-c $(setting))

.PHONY: demo up down test unit bench check format synth deploy agora-key destroy install clean

demo: install ## record the sample (or RECORDING=file) and watch it become insights
	@$(VENV)/python -m sandbox demo $(if $(RECORDING),--recording "$(RECORDING)") $(if $(PARTS),--parts $(PARTS)) $(if $(MODE),--mode $(MODE)) $(if $(STREAM_MODE),--stream-mode $(STREAM_MODE)) $(if $(JSON),--json) $(if $(LOCAL),--context "$(LOCAL)")

up: install ## local cloud, stand-ins and the deployed stack; leaves .local/stack.json
	@$(VENV)/python -m sandbox up $(if $(LOCAL),--context "$(LOCAL)")

down: ## end what `make up` started
	@if [ -x $(VENV)/python ]; then $(VENV)/python -m sandbox down; fi

test: install check ## everything: checks, unit, infra, workflow, e2e
	$(VENV)/pytest

unit: install
	$(VENV)/pytest tests/unit

bench: install ## how fast slices become one file, beside FFmpeg (FFMPEG=path if it is not on the path; JSON=1)
	@$(VENV)/python -m benchmarks.remux $(if $(FFMPEG),--ffmpeg "$(FFMPEG)") $(if $(JSON),--json)

check: install
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy

format: install
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix .

synth: install ## the template of STAGE, without AWS credentials
	@$(CDK) synth --quiet $(SETTINGS)
	@echo "cdk.out/RecordingInsights-$(STAGE).template.json"

deploy: install
	$(CDK) deploy $(SETTINGS)

agora-key: install ## make or exchange the key that signs Agora's credentials (JSON=1: the outcome as JSON; DELETE=1: before destroy)
	@$(VENV)/python -m operations.agora_key --stage "$(STAGE)" $(if $(DELETE),--delete) $(if $(JSON),--json)

destroy: install
	$(CDK) destroy $(SETTINGS)

install: .local/installed

# Stamped by content of what is pinned: done again when it changes, a no-op otherwise.
ALONE := tests/clients/requirements-without-dependencies.txt
.local/installed: requirements.txt functions/requirements.txt $(ALONE) package.json package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	@echo "Installing Python packages into .venv (about half a minute, once) ..."
	@$(PYTHON) -m venv .venv
	@$(VENV)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@# uv installs in seconds what takes pip a minute; pip knows every mirror and proxy that a company has set up.
	@VIRTUAL_ENV=.venv $(VENV)/uv pip install --quiet --requirement requirements.txt \
	  || { echo "uv could not; trying pip (some minutes) ..."; $(VENV)/pip install --disable-pip-version-check --requirement requirements.txt; }
	@$(VENV)/pip install --quiet --disable-pip-version-check --no-deps --requirement $(ALONE)
	@echo "Installing the CDK command line into node_modules ..."
	@$(VENV)/npm ci --silent --no-audit --no-fund
	@mkdir -p .local && touch $@

clean: down
	rm -rf .venv node_modules cdk.out .local
