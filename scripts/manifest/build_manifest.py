"""Write manifest.json: what made each file of a run, from what, with which code and where.

It holds versions, the hashes of code, configuration, inputs and outputs, seeds, threads, the
machine, and what may differ in another run. Paths are relative: those of inputs to the working
directory, those of outputs to the run's folder. Raw files are checked against the table of data
sets.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from manifest.jobs import Job, ancestry, read_jobs
from manifest.stable import VOLATILE, VOLATILE_END, VOLATILE_FILES, results, stable_sha256
from manifest.surroundings import code, limits, machine, software, trainings
from pipeline import settings
from pipeline.atomic import write_json
from pipeline.errors import InputError
from pipeline.hashing import canonical_sha256, file_sha256
from pipeline.read_json import read_json
from pipeline.read_yaml import read_yaml
from raw.table import Table

RECORDS = Path(".snakemake/metadata")  # Snakemake's own, in the working directory
INPUTS = {
    "files*": "what the run is for: leaderboard, report and what they are made of",
    "datasets": "the table of data sets, datasets.yaml",
}
PROMISE = {
    "promise": "the same code, configuration, inputs, packages and kind of processor give the same"
    " stable_sha256 of every output, with any number of cores, in any folder, at any time",
    "not_promised": "a GPU, another kind of processor or other versions may give other last digits",
    "volatile_names": [*VOLATILE, f"*{VOLATILE_END}"],
    "volatile_files": [*VOLATILE_FILES, "logs/**", "benchmarks/**"],
}


class Spec(settings.Settings):
    run: str = Field("run", min_length=1, description="name of the run, as in results/<run>")
    snakemake: str = Field("unknown", description="version of Snakemake")
    config: dict = Field({}, description="the configuration, without paths")


def described(path: Path) -> dict:
    """Bytes and sha256 of a file. Raises InputError if it is gone."""
    if not path.is_file():
        raise InputError(f"{path}: a file of the run is gone. Make it again: make run ARGS={path}")
    return {"bytes": path.stat().st_size, "sha256": file_sha256(path)}


def inputs(paths: Iterable[str], run: Path, datasets: Mapping[str, dict]) -> list[dict]:
    """Every file from outside the folder `run`.

    datasets: the table of data sets; a raw file that it knows gets `checked: true`.
    Raises InputError for a raw file whose sha256 is not the table's.
    """
    files = [file for entry in datasets.values() for file in entry.get("files", [])]
    expected = {f"data/raw/{file['path']}": file["sha256"] for file in files}
    found = []
    for path in (path for path in paths if not Path(path).is_relative_to(run)):
        entry = {"path": path, **described(Path(path))}
        if path in expected and entry["sha256"] != expected[path]:
            wrong = f"{path}: sha256 {entry['sha256']}, expected {expected[path]} by the table of"
            raise InputError(f"{wrong} data sets: remove the file, and the next run fetches it")
        found.append({**entry, "checked": True} if path in expected else entry)
    return found


def outputs(paths: Iterable[str], run: Path, jobs: Mapping[str, Job]) -> tuple[list, list]:
    """(the run's own files, files in its folder that no job of this configuration made).

    Paths are relative to `run`. The others were made by another configuration with the same run
    name, or were put there by hand.
    """
    inside = (Path(path) for path in paths if Path(path).is_relative_to(run))
    made = [path.relative_to(run).as_posix() for path in sorted(inside)]
    own = [
        {
            "path": name,
            **described(run / name),
            "stable_sha256": stable_sha256(run / name),
            "rule": job.rule if (job := jobs.get(str(run / name))) else None,
        }
        for name in made
    ]
    others = sorted(set(results(run)) - set(made))
    return own, [{"path": name, **described(run / name)} for name in others]


def time(seconds: float) -> str:
    """A time in Unix seconds as text, in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def rooms(jobs: Iterable[Job], run: Path, names: Iterable[str]) -> dict[str, str]:
    """Room -> when its last job ended, of the rooms `names`: a run may be made room by room."""
    ends: dict[str, float] = {}
    for job in jobs:
        for name in {
            Path(path).relative_to(run).parts[0]
            for path in job.outputs
            if Path(path).is_relative_to(run)
        }:
            ends[name] = max(job.end, ends.get(name, 0))
    return {name: time(ends[name]) for name in names if name in ends}


def settings_of(jobs: Iterable[Job], part: str) -> dict[str, dict]:
    """Rule -> setting -> every value in its jobs, of the settings with `part` in their name."""
    found: dict[str, dict] = {}
    for job in jobs:
        for name in sorted(name for name in job.settings if part in name):
            values = found.setdefault(job.rule, {}).setdefault(name, [])
            if job.settings[name] not in values:
                values.append(job.settings[name])
    return found


def main() -> None:
    args = settings.arguments(__doc__, Spec, INPUTS, {"manifest": "manifest.json of the run"})
    run, spec = args.manifest.parent, args.spec
    datasets = read_yaml(args.datasets, Table)
    datasets |= spec.config.get("own", {})
    every = read_jobs(RECORDS)
    jobs, files = ancestry(map(str, args.files), every)
    own, others = outputs(files, run, every)
    histories = (run / entry["path"] for entry in own if entry["path"].endswith("history.json"))
    trained_on = trainings(read_json(path, ["provenance"]) for path in histories)
    precisions = settings_of(jobs, "precision") | settings_of(jobs, "bfloat16")
    end = max((job.end for job in jobs), default=None)
    manifest = {
        "manifest_version": 1,
        "run": spec.run,
        "finished": end and time(end),
        "rooms": rooms(jobs, run, spec.config.get("rooms", [])),
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
