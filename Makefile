# Two commands do everything: make run, make test. The others are for daily life; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= /usr/bin/python3
export PYTHON
WORKERS ?= 4
RUN_ARGS ?= --virtual

.PHONY: help run start stop test lint unit bench soak gsm-report fresh clean install uninstall setup setup-test

help:
	@echo "make run        set up what is missing and run the exchange on virtual hardware; Ctrl-C ends it"
	@echo "make start      the same in the background; make stop ends it"
	@echo "make test       set up what is missing and run every check and test"
	@echo "make bench      measure, and compare with the goals"
	@echo "make soak       a thousand messages, and a thousand kills, while everything is pulled out (half an hour)"
	@echo "make gsm-report how well messages and modems are understood, and ten million inputs that nobody wrote (an hour)"
	@echo "make fresh      the whole way of a newcomer, in bare Debian 12 and 13 systems (root, takes long)"
	@echo "make install    put it on this Raspberry Pi as services (root); make uninstall takes it off, data kept"
	@echo "make clean      remove what was made in this folder (the cache of the user stays)"

run: setup
	@exec .venv/bin/centralka run $(RUN_ARGS)

start: setup
	@.venv/bin/centralka start $(RUN_ARGS)

stop:
	@if [ -x .venv/bin/centralka ]; then .venv/bin/centralka stop; fi

setup:
	@./bootstrap.sh run

setup-test:
	@./bootstrap.sh test

test: setup-test lint unit

lint:
	@echo "== shell"; shellcheck -S warning bootstrap.sh tests/fresh/fresh.sh systemd/install.sh systemd/uninstall.sh appliance/native/build_pjsip.sh .ci/run
	@echo "== ruff"; .venv-test/bin/ruff check -q . && .venv-test/bin/ruff format -q --check .
	@echo "== mypy"; .venv-test/bin/mypy

unit:
	@echo "== tests"
	@ip link set lo up 2> /dev/null || true
	@.venv-test/bin/python -m pytest -n $(WORKERS) --dist worksteal -m "not sound"
	@echo "== tests that listen, one after the other: a busy machine makes gaps of its own"
	@.venv-test/bin/python -m pytest -m sound

bench: setup setup-test
	@.venv/bin/python -m tests.bench

soak: setup-test
	@.venv-test/bin/python -m tests.soak

gsm-report: setup-test
	@.venv-test/bin/python -m tests.gsm_report $(REPORT_ARGS)

fresh:
	@tests/fresh/fresh.sh

install: 
	@systemd/install.sh

uninstall:
	@systemd/uninstall.sh

clean: stop
	rm -rf .venv .venv-test build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
