# make app: try it. make test: test it. Both set up everything first.

SHELL := /bin/bash
PYTHON ?= python3
QT ?= pyqt5
ARGS ?=

ifeq ($(QT),pyqt5)
VENV := .venv
else ifeq ($(QT),pyqt6)
VENV := .venv-pyqt6
else
$(error QT is pyqt5 or pyqt6, not $(QT))
endif

export PYTHON
export QT_API := $(QT)

.PHONY: help setup app test lint types clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10
	@echo
	@echo 'QT=pyqt6 takes that binding in an environment of its own; PYTHON=python3.12 names the'
	@echo 'interpreter; ARGS="-k coco" goes to pytest.'

setup: $(VENV)/.ready  ## make the virtual environment and install missing system packages

$(VENV)/.ready: pyproject.toml .ci/constraints.txt .ci/setup .ci/system-packages
	.ci/setup $(VENV) $(QT)
	@touch $@

app: setup  ## open napari on a sample scan; without a display leave pictures and masks in build/
	@if [[ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]]; then \
		$(VENV)/bin/napari-unet-seg open --sample; \
	else \
		.ci/with-display $(VENV)/bin/python .ci/app.py build; \
	fi

test: setup  ## run all tests under Xvfb; ARGS are pytest's
	.ci/with-display $(VENV)/bin/python -m pytest $(ARGS)

lint: setup  ## ruff: rules and format; which part may import which
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-logo

types: setup  ## mypy --strict
	$(VENV)/bin/mypy

clean:  ## remove environments and what was built
	rm -rf .venv .venv-pyqt6 build dist
