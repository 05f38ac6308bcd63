# make app: try it. make test: test it. Both set up everything first.

SHELL := /bin/bash
PYTHON ?= python3
QT ?= pyqt5
ARGS ?=

ifeq ($(QT),pyqt5)
VENV := .venv
else ifneq ($(filter $(QT),pyqt6 pyside6),)
VENV := .venv-$(QT)
else
$(error QT is pyqt5, pyqt6 or pyside6, not $(QT))
endif

export PYTHON
export QT_API := $(QT)

.PHONY: help setup app test oldest lint types docs clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10
	@echo
	@echo 'QT=pyqt6 or pyside6 takes that binding in an environment of its own; PYTHON=python3.12'
	@echo 'names the interpreter; ARGS="-k coco" goes to pytest.'

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

test: setup  ## run all tests on two workers under Xvfb; ARGS are pytest's, "-n 0" does without
	.ci/with-display $(VENV)/bin/python -m pytest -n 2 --dist worksteal $(ARGS)

# What older packages warn of is theirs; older versions of imagecodecs cannot write packed samples.
oldest: $(VENV)-oldest/.ready  ## run the tests that tell most with the oldest versions allowed
	.ci/with-display $(VENV)-oldest/bin/python -m pytest -n 2 --dist worksteal \
		-W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning \
		-W ignore::FutureWarning -k "not stored_without_gaps and not (greys_of_which and options2)" \
		tests/gui/segment tests/gui/train tests/gui/widgets tests/cli/test_cli_dicom.py \
		tests/io/images tests/io/zarr \
		tests/project/test_manifest.py $(ARGS)

$(VENV)-oldest/.ready: pyproject.toml .ci/oldest.txt .ci/setup .ci/system-packages
	.ci/setup $(VENV)-oldest $(QT) oldest
	@touch $@

lint: setup  ## ruff: rules and format; which part may import which; what is imported is declared
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/deptry napari_unet_seg
	$(VENV)/bin/deptry tests tests/helpers tests/helpers/files tests/helpers/window benchmarks docs examples sample_data --exclude '^$$' --ignore DEP002,DEP004

types: setup  ## mypy --strict
	$(VENV)/bin/mypy

docs: setup  ## build the pages of docs/ into build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

clean:  ## remove environments and what was built
	rm -rf .venv .venv-* build dist
