"""Write manifest.json: what made each file of a run, from what, with which code and where.

It holds versions, the hashes of code, configuration, inputs and outputs, seeds, threads, the
machine, and what may differ in another run. Paths are relative: those of inputs to the working
directory, those of outputs to the run's folder. Raw files are checked against the table of data
sets.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import yaml

from manifest.contents import inputs, outputs, settings_of
from manifest.jobs import ancestry, read_jobs
from manifest.settings import ManifestSpec
from manifest.stable import VOLATILE, VOLATILE_END, VOLATILE_FILES
from manifest.surroundings import code, limits, machine, software, trainings
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.hashing import canonical_sha256

RECORDS = Path(".snakemake/metadata")
PROMISE = {
    "promise": "the same code, configuration, inputs, packages and kind of processor give the same"
    " stable_sha256 of every output, with any number of cores, in any folder, at any time",
    "not_promised": "a GPU, another kind of processor or other versions may give other last digits",
    "volatile_names": [*VOLATILE, f"*{VOLATILE_END}"],
    "volatile_files": [*VOLATILE_FILES, "logs/**", "benchmarks/**"],
}


def main() -> None:
    args = settings.arguments(
        __doc__,
        ManifestSpec,
        inputs={
            "files*": "what the run is for: leaderboard, report and what they are made of",
            "datasets": "the table of data sets, datasets.yaml",
            "records?": f"folder of Snakemake's records, {RECORDS} unless given",
        },
        outputs={"manifest": "manifest.json, in the run's folder"},
    )
    run, spec = args.manifest.parent, args.spec
    datasets = yaml.safe_load(args.datasets.read_text(encoding="utf-8"))
    every = read_jobs(args.records or RECORDS)
    jobs, files = ancestry(map(str, args.files), every)
    own, others = outputs(files, run, every)
    histories = (run / entry["path"] for entry in own if entry["path"].endswith("history.json"))
    trained_on = trainings(json.loads(path.read_text()) for path in histories)
    precisions = settings_of(jobs, "precision") | settings_of(jobs, "bfloat16")
    end = max((job.end for job in jobs), default=None)
    manifest = {
        "manifest_version": 1,
        "run": spec.run,
        "finished": end and datetime.fromtimestamp(int(end), UTC).isoformat(),
        "code": code((job.program, job.code) for job in jobs),
        "config": {"sha256": canonical_sha256(spec.config), "values": spec.config},
        "seeds": settings_of(jobs, "seed"),
        "threads": settings_of(jobs, "threads"),
        "software": software(spec.snakemake),
        "machine": machine(),
        "trained_on": trained_on,
        "determinism": PROMISE | {"limits": limits(trained_on, precisions)},
        "inputs": inputs(files, run, datasets),
        "outputs": own,
        "others": others,
        "jobs": [job.entry() for job in jobs],
    }
    write_json(args.manifest, manifest)
    print(f"{len(own)} outputs of {len(jobs)} jobs, {len(others)} other files -> {args.manifest}")


if __name__ == "__main__":
    settings.run(main)
