# The commands of this project: `make help` lists them. The first one that needs it makes .venv.
# Written for every make since 3.81 and every sh: a Mac has no newer ones.
# Words are taken from the command line of make alone: an environment has its own CONDA, CORES, ARGS.
PYTHON = python3
PRESET = demo
# make run ROOMS="gpt dna": these rooms and their data alone; what others left in the run's folder stays
ROOMS =
# CPUs of this machine; with PROFILE, what its `cores` says
CORES = $(if $(PROFILE),,all)
# More words for Snakemake: make run ARGS="--dry-run"
ARGS =
# make run CONDA=1: each rule in its own environment of envs/ (needs conda; docs/environments.md)
CONDA =
# make run CONTAINER=image.sif: the same environments out of an Apptainer image (docs/environments.md)
export CONTAINER =
# make run TORCH=cpu: PyTorch's build for CPUs, without gigabytes for GPUs; .venv keeps it until TORCH=cuda
TORCH =
# make run PROFILE=slurm: on a cluster, by workflow/profiles/slurm (docs/clusters.md)
PROFILE =
# make text DATA=path: your own text; make dna DATA=path: your own sequences (docs/own-data.md); make images DATA=folder: a
# folder of pictures per class
DATA =
# make dna: names of columns, where they are not found by themselves
SEQUENCE =
LABEL =
SPLIT =
# make verify: RESULTS, a folder other than PRESET's, such as results/reference; AGAINST, another run's
RESULTS =
AGAINST =
# make fuzz INPUTS=1000000: inputs of all readers together
INPUTS = 100000
# make test-faults SEED=2: other moments
SEED = 1

WORDS := AGAINST ARGS CONDA CONTAINER CORES DATA INPUTS LABEL PRESET PROFILE PYTHON RESULTS ROOMS SEED SEQUENCE SPLIT TORCH
GIVEN := $(foreach name,$(.VARIABLES),$(if $(findstring command,$(origin $(name))),$(name)))
quoted = '$(subst ','\'',$(1))'
ifneq ($(shell sh workflow/lib/check_make.sh $(call quoted,$(CURDIR)) $(call quoted,$(WORDS)) \
	$(foreach name,$(GIVEN),$(call quoted,$(name)=$($(name)))) || echo wrong),)
$(error nothing was done)
endif

.DEFAULT_GOAL := help
.PHONY: help run text dna images why unlock report verify check test lint quick unit test-slurm test-conda container \
	format test-faults fuzz bench bench-speed bench-dag check-gpu lock reference keep-bench readme clean clean-all \
	fresh

VENV := .venv
BIN := $(VENV)/bin
# The Python of .venv runs the programs, unless each rule has an environment of its own.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# The packages of this folder, even if those of another are installed.
export PYTHONPATH := scripts
# A terminal that lacks a letter gets a question mark. What else would change how Python or pip starts stays out.
export PYTHONIOENCODING := :replace
unexport SNAKEMAKE_PROFILE PYTHONHOME PYTHONINSPECT PYTHONOPTIMIZE PYTHONSAFEPATH PYTHONWARNINGS PIP_PREFIX PIP_TARGET PIP_USER
INSTALL = $(PYTHON) workflow/lib/install.py
# fresh: .venv was moved, is half there, or has another PyTorch, and is made again.
FRESH := $(shell sh workflow/lib/venv_is_whole.sh $(TORCH) || echo fresh)
SNAKEFILES := Snakefile workflow tests
PRESET_FILE := config/$(if $(filter standard,$(PRESET)),config,$(PRESET)).yaml
CONFIG = $(PRESET_FILE)
# With CONDA=1 a result counts only if its rule's environment, in its present form, made it (software-env). With an image
# Snakemake would check that before it has fetched the image. The path is unused: without one, Snakemake looks for a conda
# outside the image.
IN_IMAGE := --sdm conda apptainer --conda-base-path /opt/conda
DEPLOY := $(if $(CONTAINER),$(IN_IMAGE),$(if $(CONDA),software-env --sdm conda))
space := $(subst ,, )
comma := ,
ONLY = $(if $(strip $(ROOMS)),--config 'rooms=[$(subst $(space),$(comma),$(strip $(ROOMS)))]')
# Snakemake copies what it reads to a cache; a HOME need not be writable.
CACHED := env XDG_CACHE_HOME=$(call quoted,$(CURDIR)/.snakemake/cache)
OPTIONS = --rerun-triggers mtime params input code $(DEPLOY) $(ONLY) --configfile $(CONFIG) $(if $(CORES),--cores $(CORES)) \
	$(if $(PROFILE),--workflow-profile workflow/profiles/$(PROFILE))
SNAKEMAKE = $(CACHED) $(BIN)/snakemake $(OPTIONS)
# On a cluster Snakemake's own log, which has the numbers of the jobs.
RUN = $(CACHED) $(BIN)/python workflow/lib/run.py $(CONFIG) $(if $(PROFILE),,--logger live) $(OPTIONS)
# What a run needs in .venv: the plugins for clusters only with PROFILE.
READY = $(VENV)/ready $(if $(PROFILE),$(VENV)/ready-cluster)

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s%s\n", $$1, $$2}' Makefile

run: $(READY) ## Run the pipeline: PRESET=demo|smoke|standard|ensemble|dna|cnn|full ROOMS="gpt dna" CORES=N ARGS="..."
	@$(RUN) $(ARGS)

# The preset of such a run is written by own.py; its first lines say how to use the model.
text dna images: CONFIG = "$$own"
text: ## Train, evaluate and sample a GPT on your own text: DATA=file.txt, or a folder of .txt
images: ## Train and score a CNN on your own pictures: DATA=folder, with a folder of .png or .jpg per class
text images: $(READY)
	@own=$$($(BIN)/python workflow/lib/own.py $@ $(call quoted,$(DATA)) $(PRESET_FILE)) && $(RUN) $(ARGS) && sed -n 's/^# //p' "$$own"

dna: $(READY) ## Train a classifier on your own sequences: DATA=file.csv, .fasta or a folder; SEQUENCE, LABEL, SPLIT=column
	@own=$$($(BIN)/python workflow/lib/own.py $@ $(call quoted,$(DATA)) $(PRESET_FILE) --sequence $(call quoted,$(SEQUENCE)) \
		--label $(call quoted,$(LABEL)) --split $(call quoted,$(SPLIT))) && $(RUN) $(ARGS) && \
		for text in "$${own%/*}"/dna/own/*/summary.md; do test ! -e "$$text" || cat "$$text"; done

why: $(READY) ## Say what a run would do now, and why
	@$(BIN)/python workflow/lib/check_yaml.py config/config.yaml $(CONFIG)
	@$(BIN)/python workflow/lib/why.py $(SNAKEMAKE) $(ARGS) --dry-run --quiet host

unlock: $(READY) ## After a kill -9: free the folder, unless something still runs in it
	@$(BIN)/python workflow/lib/still_running.py
	@$(SNAKEMAKE) --unlock

report: $(READY) ## Snakemake's own report of a finished run, with the DAG and run times
	@$(RUN) --report .snakemake/report.html $(ARGS)

verify: $(VENV)/ready ## Check a run against its manifest; AGAINST=other/results/run: compare the two
	@name=$$($(BIN)/python workflow/lib/clean.py --name $(CONFIG)) || exit; $(BIN)/python -m manifest.verify \
		$(if $(AGAINST),--against "$(AGAINST)") --run "$(or $(RESULTS),results/$$name)"

# Lint runs beside two workers, of which each takes the next file of tests.
BESIDE := --no-print-directory --keep-going --jobs 2
TESTS = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/ready-dev ## After each edit: lint, and all tests but those that take seconds (a minute)
	@$(MAKE) $(BESIDE) lint quick

test: $(VENV)/ready-dev ## Before each commit: lint and all tests, the demo DAG end to end among them
	@$(MAKE) $(BESIDE) lint unit

lint: $(VENV)/ready-dev ## Check formatting, types and lint: ruff, snakefmt, mypy, snakemake --lint
	@$(BIN)/ruff format --check . || { echo 'run `make format`'; exit 1; }
	@$(BIN)/ruff check .
	@$(BIN)/snakefmt --check $(SNAKEFILES) || { echo 'run `make format`'; exit 1; }
	@$(BIN)/mypy
	@told=$$($(CACHED) $(BIN)/snakemake --lint 2>&1) || { printf '%s\n' "$$told" | tail -n 20 >&2; exit 1; }

quick: $(VENV)/ready-dev
	@$(TESTS) -m 'not dag and not slow' $(ARGS)

unit: $(VENV)/ready-dev ## All tests without lint: ARGS="-k name" for some
	@$(TESTS) $(ARGS)

# REQUIRE_SLURM=1: fail where Slurm is missing, instead of skipping.
test-slurm: $(VENV)/ready-dev $(VENV)/ready-cluster ## The demo and job failures on a one-node Slurm: Debian, as root
	@$(BIN)/python -m pytest -rs tests/cluster $(ARGS)

test-conda: $(VENV)/ready-dev $(VENV)-conda/ready ## Every rule of the demo in its own conda environment, from a local channel
	@$(BIN)/python -m pytest tests/conda $(ARGS)

container: $(VENV)/ready ## Write the container recipes of containers/ from envs/
	@$(BIN)/python containers/write_recipes.py

format: $(VENV)/ready-dev ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/snakefmt $(SNAKEFILES)

test-faults: $(VENV)/ready-dev ## Kill the demo everywhere, fill its disk: what survives is in results/faults (Linux)
	@$(BIN)/python -m pytest tests/faults
	@$(BIN)/python tests/faults/chaos.py --seed $(SEED) --kept results/faults

fuzz: $(VENV)/ready-dev ## New draws for every property test, INPUTS=N mutated inputs for the readers of outside data
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -m hypothesis tests
	@$(BIN)/python tests/fuzz/fuzz.py --inputs $(INPUTS) --kept results/fuzz --out results/fuzz/fuzz.csv

bench: bench-speed bench-dag ## Run all of benchmarks/: one CSV each in results/benchmarks/

bench-speed: $(VENV)/ready ## Time our code beside PyTorch's, scikit-learn's and others' in one process
	@for file in benchmarks/mlp_*.py benchmarks/*_speed.py; do name=$$(basename $$file .py); \
		$(BIN)/python $$file --out results/benchmarks/$$name.csv || exit; done

bench-dag: $(VENV)/ready ## Time the workflow itself, and a finished PRESET's overhead
	@$(BIN)/python benchmarks/dag_cost.py --preset $(PRESET) --kept results/reference/dag_cost.csv \
		--out results/benchmarks/dag_cost.csv

check-gpu: $(VENV)/ready ## Do trainings on the GPU agree with the CPU, and how fast are they? Six minutes on one card
	@$(BIN)/python benchmarks/check_gpu.py

lock: $(VENV)/ready-dev ## Compile requirements*.txt from requirements*.in
	@for name in uv "" dev cluster conda; do name=requirements$${name:+-$$name}; $(BIN)/uv pip compile --quiet \
		--universal --python-version 3.11 --no-header --generate-hashes $$name.in -o $$name.txt || exit; done

# Of these runs, what is newer than in results/reference. The demo and the smoke test are no results.
KEPT := $(patsubst %/manifest.json,%,$(wildcard $(patsubst %,results/%/manifest.json,standard ensemble dna cnn full)))

reference: $(VENV)/ready ## Take what is new in finished runs into results/reference/, room by room
	@test -n '$(KEPT)' || { echo 'no finished run is there: make run PRESET=standard, or ROOMS=gpt for a room of it' >&2; exit 2; }
	@$(BIN)/python -m reporting.collect_reference --run $(KEPT) --out results/reference
	@$(MAKE) --no-print-directory readme

keep-bench: $(VENV)/ready ## Copy new benchmarks alone into results/reference/
	@$(BIN)/python -m reporting.collect_reference --out results/reference
	@$(MAKE) --no-print-directory readme

readme: $(VENV)/ready ## Make the page of results/reference/, and the tables of README.md and docs/results.md
	@$(BIN)/python workflow/lib/build_reference.py
	@$(BIN)/python -m reporting.update_readme

clean: $(VENV)/ready ## Delete PRESET's run, and the prepared data that no other run reads
	@$(BIN)/python workflow/lib/clean.py $(CONFIG)

clean-all: $(VENV)/ready ## List and delete all runs and all prepared data; raw data and results/reference stay
	@$(BIN)/python workflow/lib/clean.py --all

fresh:

$(VENV)/ready: requirements.txt requirements-uv.txt $(FRESH)
	@$(INSTALL) requirements.txt --stamp $@ --torch "$(TORCH)" $(FRESH:%=--%)

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@$(INSTALL) requirements-dev.txt --stamp $@

$(VENV)/ready-cluster: $(VENV)/ready requirements-cluster.txt
	@$(INSTALL) requirements-cluster.txt --stamp $@

# What only test-conda needs stays out of .venv.
$(VENV)-conda/ready: requirements-conda.txt
	@$(PYTHON) -m venv --clear $(VENV)-conda
	@$(VENV)-conda/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-conda.txt
	@touch $@
