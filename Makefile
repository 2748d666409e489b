# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# An index: what happens stands in noxfile.py and in playbooks/.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
COLLECTION := .cache/collections/ansible_collections/raylogs/efk
READY := $(BIN)/.ready
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections
export LC_ALL := C.UTF-8
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-stop search test lint sanity unit integration roles cluster molecule molecule-stop bench docs generate clean

help: ## List the targets
	@sed -n 's|^\([a-z-]*\):.*## \(.*\)|make \1\t\2|p' Makefile | expand -t 18

demo: $(READY) ## Search real Ray logs in a real Elasticsearch (RAY_DIR=/tmp/ray: your own)
	@ansible-playbook -i inventories/local playbooks/demo.yml

demo-stop: $(READY) ## Stop the server of the demo, keep its data
	@ansible-playbook -i inventories/local playbooks/demo_stop.yml

search: $(READY) ## Search the demo: make search Q='level:ERROR AND message:timeout'
	@ansible-playbook -i inventories/local playbooks/search_logs.yml

test: $(READY) ## Run lint, sanity, unit and integration tests (neither root nor containers)
	@python tools/run_tests.py lint sanity unit integration coverage

lint sanity unit integration: $(READY)
	@nox -s $@
lint: ## Run the static checks (sanity, unit and integration alone work alike)

roles: $(READY) ## Run role elasticsearch through whole lives of real servers (neither root nor containers; some minutes)
	@python tools/run_tests.py roles

cluster: $(READY) ## Run three real nodes as one cluster of role elasticsearch (some minutes, by hand)
	@nox -s cluster

molecule: $(READY) ## Run the Molecule scenarios on containers with systemd (needs root or a Docker engine)
	@python tools/run_tests.py molecule

molecule-stop: ## Stop the container engine that make molecule started, keep its images
	@$(PYTHON) tools/test_hosts.py stop

bench: $(READY) ## Measure speed, memory and size
	@nox -s bench

docs: $(READY) ## Build the documentation site into .cache/docs
	@nox -s docs

generate: $(READY) ## Write the files that are generated from the catalogue
	@python tools/generate.py

clean: ## Stop the demo and the container engine, remove their data and everything that was made here
	@if [[ -e .demo && -x $(BIN)/ansible-playbook ]]; then ansible-playbook -i inventories/local playbooks/demo_clean.yml; fi
	@if [[ -e .cache/test_hosts ]]; then $(PYTHON) tools/test_hosts.py stop; fi
	@rm -rf .cache .demo .venv __pycache__ raylogs-efk-*.tar.gz
	@find . -name __pycache__ -prune -exec rm -rf {} +

$(READY): .config/requirements.txt | $(COLLECTION)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo 'Installing the tools into .venv (once, about a minute) …'
	@$(PYTHON) -m venv --clear .venv
	@pip install --quiet --disable-pip-version-check --no-deps --no-compile --requirement .config/requirements.txt
	@touch $@

$(COLLECTION):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@
