"""The files of a run with bytes and sha256: what it read, what it made, what else is there."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from manifest.jobs import Job
from manifest.stable import results, stable_sha256
from pipeline.errors import InputError
from pipeline.hashing import file_sha256


def described(path: Path) -> dict:
    """Bytes and sha256 of a file. Raises InputError if it is gone."""
    if not path.is_file():
        raise InputError(
            f"{path}: this input or output of the run is gone. Make it again, then run again:"
            f" make run ARGS={path}"
        )
    return {"bytes": path.stat().st_size, "sha256": file_sha256(path)}


def inputs(paths: Iterable[str], run: Path, datasets: Mapping[str, dict]) -> list[dict]:
    """Every file from outside the folder `run`.

    datasets: the table of data sets; a raw file that it knows gets `checked: true`.
    Raises InputError for a raw file whose sha256 is not the table's.
    """
    expected = {
        f"data/raw/{file['path']}": file["sha256"]
        for entry in datasets.values()
        for file in entry.get("files", [])
    }
    found = []
    for path in paths:
        if Path(path).is_relative_to(run):
            continue
        entry = {"path": path, **described(Path(path))}
        if path in expected and entry["sha256"] != expected[path]:
            raise InputError(
                f"{path}: sha256 {entry['sha256']}, expected {expected[path]} by the table of data"
                " sets: remove the file, and the next run fetches it"
            )
        found.append({**entry, "checked": True} if path in expected else entry)
    return found


def outputs(
    paths: Iterable[str], run: Path, jobs: Mapping[str, Job]
) -> tuple[list[dict], list[dict]]:
    """(the run's own files, files in its folder that no job of this configuration made).

    Paths are relative to `run`. The others were made by another configuration with the same run
    name, or were put there by hand.
    """
    made = sorted({Path(path).relative_to(run) for path in paths if Path(path).is_relative_to(run)})
    own = [
        {
            "path": name.as_posix(),
            **described(run / name),
            "stable_sha256": stable_sha256(run / name),
            "rule": job.rule if (job := jobs.get(str(run / name))) else None,
        }
        for name in made
    ]
    others = sorted(set(results(run)) - {name.as_posix() for name in made})
    return own, [{"path": name, **described(run / name)} for name in others]


def settings_of(jobs: Iterable[Job], part: str) -> dict[str, dict]:
    """Rule -> setting -> every value in its jobs, of the settings with `part` in their name."""
    found: dict[str, dict] = {}
    for job in jobs:
        for name in sorted(name for name in job.settings if part in name):
            values = found.setdefault(job.rule, {}).setdefault(name, [])
            if job.settings[name] not in values:
                values.append(job.settings[name])
    return found
