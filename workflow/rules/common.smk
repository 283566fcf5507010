"""What all rule files share. Where things are, and how a program gets its settings."""

import json
import os
import re
import shlex
import sys
from functools import partial
from pathlib import Path

REPOSITORY = Path(str(workflow.current_basedir)).resolve().parents[1]
SCRIPTS = REPOSITORY / "scripts"
sys.path[:0] = [str(REPOSITORY / "workflow" / "lib"), str(SCRIPTS)]

from code_hash import code_hash
from configuration import ROOMS, ConfigurationError, check_config, load_table, own_data
from raw.table import Table
from reporting.references import References
from snakemake.exceptions import WorkflowError

# An image that holds the environments of envs/, made by a recipe of containers/: as with conda,
# where a program runs is no setting of the run. Jobs on other machines must know it too.
if IMAGE := os.environ.get("CONTAINER"):

    envvars:
        "CONTAINER",

    containerized: IMAGE


TABLE = os.path.relpath(REPOSITORY / "config" / "datasets.yaml")
REFERENCES = os.path.relpath(REPOSITORY / "config" / "references.yaml")
try:
    DATASETS = load_table(Path(TABLE), Table)
    load_table(Path(REFERENCES), References)
    DATASETS |= own_data(config)
    SETTINGS = check_config(config, DATASETS)
except ConfigurationError as error:
    raise WorkflowError(str(error)) from None

RUN = f"results/{SETTINGS.run}"
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
    "twins": [],  # twins.json: the losses of one model in two frameworks
    "choices": [],  # choice.json of every DNA data set that chooses a model
    "curves": [],  # curves.json of every DNA data set: ROC, precision and recall, reliability
    "motifs": [],  # motifs.json of every DNA data set: what its classes have in common
    "images": [],  # examples.npz: images with labels and predictions
    "studies": [],  # study.npz of every image classifier: its filters, what a shift does to it
    "submissions": [],  # submission.csv of every data set with a leaderboard of its own
    "models": [],  # weights that the live page shows: of each model the first seed's
    "summaries": [],  # summary.md of every data set of one's own
    "own": [],  # summary.json of the same, which the report reads
}

# What the searches drew, trained, scored and chose: no report reads it.
SEARCH_FILES = []

# What a job inherits, decided here: all but what would change how its shell and its Python start,
# and in which language they speak. It runs the Python that runs Snakemake, if no
# environment of its own comes before. Threads are Snakemake's to set, by the rule.
for name in [*os.environ]:
    if name == "BASH_ENV" or name.startswith("PYTHON") and name != "PYTHONPATH":
        del os.environ[name]
os.environ |= {
    "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]),
    "LC_ALL": "C",
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
}
# Where the raw files may come from is no property of a result: it is passed on, not tracked.
if SETTINGS.data_mirror:
    os.environ.setdefault("DATA_MIRROR", SETTINGS.data_mirror)

# A cluster sends SIGTERM to the shell of a job too: it waits until the program has saved its state.
# Ending before it, it would end the job, and the cluster kills what is left of one.
# Programs are modules below scripts/, found by PYTHONPATH: nothing has to be installed where a job
# runs. PYTHONSAFEPATH keeps the files of the working directory from hiding a module.
shell.prefix(
    "set -euo pipefail; trap : TERM; export PYTHONSAFEPATH=1"
    f" PYTHONPATH={shlex.quote(os.path.relpath(SCRIPTS))}; "
)

# For workflow/lib/run.py.
os.environ |= {"RUN_FOLDER": os.path.abspath(RUN)}


def spec(program, kind, *sources, **own):
    """One canonical JSON string: all settings of a program, and the hash of its code.

    kind: the program's model of its settings. `own` holds some of them. Any other has its value from
    the first of `sources` that knows its name: the job's wildcards, or parts of the configuration.
    Snakemake takes {word} in a param for a wildcard, inside somebody's text too: a brace inside a
    JSON string is written as its escape. One of JSON's own is followed by a quote or `}`.
    """
    for source in sources:
        for name in {*kind.model_fields} - {*own}:
            if hasattr(source, name):
                value = getattr(source, name)
                own[name] = int(value) if isinstance(value, str) and value.isdigit() else value
    values = kind(**own) if kind is dict else kind(**own).model_dump(mode="json")
    text = json.dumps({**values, "code": code_hash(SCRIPTS, program)}, sort_keys=True)
    return re.sub(r'{(?!["}])', r"\\u007b", text)


def per_seed(path, seeds):
    """`path` for each seed; what other wildcards it has stay."""
    return expand(path, seed=seeds, allow_missing=True)


def options(wildcards, input, output):
    """--name path... for every named input and output that is not empty: for a rule's params."""
    # Where their order counts (the first model predicts), params has it too: inputs are a set.
    words = []
    for name, paths in [*input.items(), *output.items()]:
        paths = [paths] if isinstance(paths, str) else paths
        words += [f"--{name.replace('_', '-')}", *paths] if paths else []
    return words


def parts(section, wildcards, name):
    """Of a room's settings: those of all data sets, of the job's one, and its part `name`."""
    own = section.settings[wildcards.dataset]
    return section, own, getattr(own, name)


def log_of(rule, job="", place="logs", ending="log"):
    """The log of a rule's job: standard output and errors of the program."""
    return f"{RUN}/{place}/{rule}{job and '/'}{job}.{ending}"


# Where Snakemake writes a job's time and memory.
benchmark_of = partial(log_of, place="benchmarks", ending="tsv")


def need(megabytes, minutes):
    """A job's resources: the memory of the first attempt, twice as much at the second, and so on."""
    return {"mem_mb": lambda wildcards, attempt: megabytes * attempt, "runtime": minutes}


def raw_files(dataset):
    """The raw files of a data set under data/raw, or none for one that is made by a program."""
    return [f"{RAW}/{file.path}" for file in DATASETS[dataset].files]


def raw_of(wildcards):
    """What a prepare program gets besides its settings: the raw files' sums, a description."""
    entry = DATASETS[wildcards.dataset]
    sums = {f.path: {"bytes": f.bytes, "sha256": f.sha256} for f in entry.files}
    return {"dataset": wildcards.dataset, "raw": sums, "about": entry.about}


wildcard_constraints:
    **dict.fromkeys(("seed", "fold", "rung", "place"), r"\d+"),
    dataset="|".join(sorted(DATASETS, key=len, reverse=True)),
    candidate=r"lr-[^/]+",
    model="|".join([*SETTINGS.mlp.models, *SETTINGS.vision.models]),
