"""What all rule files share. Where things are, and how a program gets its settings."""

import json
import os
import re
import shlex
import sys
from pathlib import Path

REPOSITORY = Path(str(workflow.current_basedir)).resolve().parents[1]
SCRIPTS = REPOSITORY / "scripts"
sys.path.insert(0, str(REPOSITORY / "workflow" / "lib"))

from code_hash import code_hash
from configuration import (
    ConfigurationError,
    check_config,
    chosen_datasets,
    load_table,
)
from snakemake.exceptions import WorkflowError

# An image that holds the environments of envs/, made by a recipe of containers/: as with conda,
# where a program runs is no setting of the run. Jobs on other machines must know it too.
if IMAGE := os.environ.get("CONTAINER"):

    envvars:
        "CONTAINER",

    containerized: IMAGE


SCHEMAS = REPOSITORY / "workflow" / "schemas"
try:
    DATASETS = load_table(REPOSITORY / "config" / "datasets.yaml", SCHEMAS)
    REFERENCES = load_table(REPOSITORY / "config" / "references.yaml", SCHEMAS)
    check_config(config, SCHEMAS, DATASETS)
except ConfigurationError as error:
    raise WorkflowError(str(error)) from None

# Room -> data sets of this run, in the order of the project's parts.
CHOSEN = chosen_datasets(config)
RUN = f"results/{config['run']}"
RAW = "data/raw"
PROCESSED = "data/processed"

# What the rooms hand to the leaderboard and the report; each rule file adds its own files.
REPORT = {
    "metrics": [],  # metrics.json of every evaluation
    "histories": [],  # history.json of every training
    "predictions": [],  # predictions.csv of every classifier
    "selections": [],  # selection.json of every cross-validated search
    "searches": [],  # ranking.json of every rung of a halving search, in order
    "samples": [],  # samples.json of every language model
    "attention": [],  # attention.npz: weights of an attention layer on an example
    "positions": [],  # positions.npz: tables of positional encodings
    "images": [],  # examples.npz: images with labels and predictions
    "submissions": [],  # submission.csv of every data set with a leaderboard of its own
}

# What the searches drew, trained, scored and chose: no report reads it.
SEARCH_FILES = []

# A cluster sends SIGTERM to the shell of a job too: it waits until the program has saved its state.
# Ending before it, it would end the job, and the cluster kills what is left of one.
# Programs are modules below scripts/, found by PYTHONPATH: nothing has to be installed where a job
# runs. PYTHONSAFEPATH keeps the files of the working directory from hiding a module.
shell.prefix(
    "set -euo pipefail; trap : TERM; export PYTHONSAFEPATH=1"
    f" PYTHONPATH={shlex.quote(os.path.relpath(SCRIPTS))}; "
)

# Where the raw files may come from is no property of a result: it is passed on, not tracked.
if config["data_mirror"]:
    os.environ.setdefault("DATA_MIRROR", config["data_mirror"])


def spec(program, **settings):
    """One canonical JSON string: the settings that a stage reads and the hash of its code.

    Snakemake takes {word} in a param for a wildcard, in the middle of somebody's text too: a brace
    inside a JSON string is written as its escape. One of JSON's own is followed by a quote or `}`.
    """
    text = json.dumps({**settings, "code": code_hash(SCRIPTS, program)}, sort_keys=True)
    return re.sub(r'{(?!["}])', r"\\u007b", text)


def raw_files(dataset):
    """The raw files of a data set under data/raw, or none for one that is made by a program."""
    return [f"{RAW}/{file['path']}" for file in DATASETS[dataset].get("files", [])]


def raw_sums(dataset):
    """path -> bytes and sha256 of the raw files: what a prepare program checks before it reads."""
    return {
        file["path"]: {"bytes": file["bytes"], "sha256": file["sha256"]}
        for file in DATASETS[dataset].get("files", [])
    }


def memory(megabytes):
    """mem_mb of a job: `megabytes` at the first attempt, twice as much at the second, and so on."""
    return lambda wildcards, attempt: megabytes * attempt


def stage(config_section, *names):
    """The settings `names` of a section of the config, as keyword arguments of spec()."""
    return {name: config_section[name] for name in names}


wildcard_constraints:
    dataset="|".join(sorted(DATASETS, key=len, reverse=True)),
    seed=r"\d+",
    fold=r"\d+",
