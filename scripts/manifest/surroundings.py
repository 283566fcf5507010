"""The machine and the software of a run, without names of host or user and without paths."""

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import distributions

import numpy as np

from pipeline.hashing import file_sha256
from pipeline.provenance import REPOSITORY, commit, processor

# What makes a run, besides its programs: the workflow and its pinned software.
WORKFLOW = ("Snakefile", "workflow/**/*.smk", "workflow/**/*.py", "workflow/**/*.yaml",
            "config/*.yaml", "requirements.txt", "envs/*.yaml")  # fmt: skip


def software(snakemake: str) -> dict:
    """Versions of Python, Snakemake, the BLAS under NumPy and every installed package."""
    packages = {package.metadata["Name"]: package.version for package in distributions()}
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "snakemake": snakemake,
        "blas": f"{blas.get('name')} {blas.get('version')}",
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def machine() -> dict:
    """Operating system, architecture and processor of the machine that writes the manifest."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        system = platform.system()
    kernel, kind = f"{platform.system()} {platform.release()}", platform.machine()
    about = {"system": system, "kernel": kernel, "architecture": kind, "processor": processor()}
    return {**about, "cores": os.cpu_count()}


def code(programs: Iterable[tuple[str, str | None]]) -> dict:
    """The commit, whether tracked files differ from it, the workflow's files, the programs' hashes.

    The commit is the one at which the manifest is written; `trainings` gives that of each training.
    programs: (program, code hash of the job that ran it). Fetching has no hash: a raw file is what
    its sha256 says, no matter what fetched it.
    """
    found = commit()
    hashes: dict[str, list[str]] = {}
    for name, value in sorted({(name, value) for name, value in programs if value}):
        hashes.setdefault(name, []).append(value)
    files = sorted({path for pattern in WORKFLOW for path in REPOSITORY.glob(pattern)})
    return {
        "commit": found.removesuffix("-dirty"),
        "dirty": None if found.startswith("unknown") else found.endswith("-dirty"),
        "programs": hashes,
        "files": {path.relative_to(REPOSITORY).as_posix(): file_sha256(path) for path in files},
    }


def trainings(histories: Iterable[dict]) -> list[dict]:
    """The distinct commits, machines and versions that the histories were trained with."""
    origins = (history.get("provenance") for history in histories)
    distinct = {repr(origin): origin for origin in origins if origin}
    return [distinct[key] for key in sorted(distinct)]


def limits(trained_on: Iterable[Mapping], settings: Mapping[str, Mapping]) -> list[str]:
    """Where this run's devices and settings narrow the promise of the same bytes.

    trained_on: see `trainings`; settings: rule -> setting -> its values, see `settings_of`.
    """
    machines = list(trained_on)
    devices = {str(machine.get("device")) for machine in machines} - {"cpu"}
    threads = {machine.get("threads", 1) for machine in machines} - {1}
    kernels = {machine.get("blas_kernels") for machine in machines} - {None}
    rules = sorted(
        rule
        for rule, names in settings.items()
        if any(True in values or "bfloat16" in values for values in names.values())
    )
    told = {
        "trained on {}: its library is asked for deterministic kernels; the same bytes are not"
        " promised, since no test of this project has run there": devices,
        "{} threads: only with as many threads again, since sums are split by thread": threads,
        "OPENBLAS_CORETYPE={}: only with the same again, since kernels sum in their own"
        " order": kernels,
        "bfloat16 in {}: only on processors that multiply it alike, in units of their own; one"
        " without such units takes float32 instead": {", ".join(rules)} - {""},
    }
    return [text.format(value) for text, values in told.items() for value in sorted(values)]
