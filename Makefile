# Every act is a verb. `make demo` and `make test` need nothing but Python 3.11 to 3.13 and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8000

.DEFAULT_GOAL := help
.PHONY: help demo test test-long lint format lock docs data bench bench-planning bench-risk torture clean install install-dev coverage-advice image notebooks model-gate release secrets site terraform-mock

help:           ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# The stamp of an install is the lock it was made from: a changed lock installs again.
$(VENV)/run.stamp: requirements.lock pyproject.toml
	@$(PYTHON) scripts/check_python.py
	@test -x $(BIN)/python || { echo "Making the environment in $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing (once; every package pinned by hash)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/run.stamp          ## make the environment
install-dev: $(VENV)/dev.stamp      ## make the environment with the tools for tests

demo: $(VENV)/run.stamp             ## simulate a district (or DATA=folder), plan the day, serve the page
	@$(BIN)/chw demo --port $(PORT) $(if $(DATA),--data "$(DATA)") $(if $(MAPPING),--mapping "$(MAPPING)")

test: $(VENV)/dev.stamp             ## run every test
	@$(BIN)/python -m pytest -n 2 --dist worksteal

test-long: $(VENV)/dev.stamp        ## every test, with many more drawn examples of each property
	@HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n 2 --dist worksteal

# The tests of the two rooms alone, in one process: what other tests happen to run does not count.
coverage-advice: $(VENV)/dev.stamp  ## every branch of guidelines and advice runs in their own tests, or this fails
	@$(BIN)/python -m pytest -n 0 tests/unit_tests/programme tests/unit_tests/recommendations \
	    --cov=chw_tools.programme --cov=chw_tools.recommendations --cov-branch \
	    --cov-report=term-missing:skip-covered --cov-fail-under=100

lint: $(VENV)/dev.stamp             ## style, types, floors, generated pages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/write_docs.py --check

format: $(VENV)/dev.stamp           ## tidy the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/run.stamp             ## write the generated pages of docs/
	@$(BIN)/python scripts/write_docs.py
	@$(BIN)/python scripts/write_dashboard.py

data: $(VENV)/run.stamp             ## write data/raw/ anew from the simulator
	@$(BIN)/python scripts/write_sample_data.py

bench: $(VENV)/run.stamp            ## measure; results in benchmarks/results/
	@for script in $(filter-out $(wildcard benchmarks/planning_*.py benchmarks/risk_*.py), $(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# PLANNING=quick leaves out what takes minutes.
bench-planning: $(VENV)/run.stamp   ## plans against best known answers: ours, best known, gap, seconds
	@for script in benchmarks/planning_*.py; do echo "== $$script"; $(BIN)/python $$script $(PLANNING) || exit 1; done

bench-risk: $(VENV)/dev.stamp       ## models against bare learners, the truth, and the clock
	@for script in benchmarks/risk_learners.py benchmarks/risk_truth.py benchmarks/risk_training.py benchmarks/risk_scoring.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

torture: $(VENV)/dev.stamp          ## kill workers of the outbox at 1,000 points, on both databases
	@$(BIN)/python scripts/torture_outbox.py

lock: $(VENV)/dev.stamp             ## resolve the ranges of pyproject.toml anew, with hashes
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --group build --extra track --extra postgres --quiet \
	    --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --group build --group dev --all-extras --constraint requirements.lock \
	    --quiet --output-file requirements-dev.lock
	@printf 'moto[server]>=5.1\n' | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet --output-file requirements-mock.lock

# BASE=debootstrap makes the base from Debian's packages where no registry of images is reached (as root).
image:          ## build the image with docker, podman or buildah; start it; print size and cold start
	@$(PYTHON) scripts/build_image.py $(if $(BASE),--base "$(BASE)") $(if $(TAG),--tag "$(TAG)")

secrets:        ## draw the secrets that compose.yaml names, where they are missing
	@$(PYTHON) scripts/write_secrets.py

site: $(VENV)/dev.stamp             ## build the site of docs/ into site/, every link checked
	@$(BIN)/python scripts/build_site.py

notebooks: $(VENV)/dev.stamp        ## execute every notebook; copies with pictures in build/notebooks/
	@$(BIN)/python scripts/run_notebooks.py

.venv-mock/stamp: requirements-mock.lock
	@test -x .venv-mock/bin/python || $(PYTHON) -m venv .venv-mock
	@.venv-mock/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-mock.lock
	@touch $@

# TERRAFORM_PROVIDERS names a folder with Terraform's aws provider, where none is to be fetched.
terraform-mock: .venv-mock/stamp    ## apply the Terraform files to a mock of the cloud; a second plan is empty
	@$(PYTHON) scripts/apply_on_mock.py .venv-mock/bin/moto_server

model-gate: $(VENV)/dev.stamp       ## train on a simulated programme and hold the model to its gates
	@$(BIN)/python scripts/gate_model.py

release: $(VENV)/dev.stamp          ## build the packages into dist/ with their digests; publishes nothing
	@$(BIN)/python scripts/build_release.py

clean:          ## remove what these verbs made (not your data)
	rm -rf $(VENV) .venv-mock .pytest_cache .mypy_cache .ruff_cache
