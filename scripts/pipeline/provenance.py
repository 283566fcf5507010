"""Where a number comes from: commit, machine, versions. Read when a job runs, never tracked."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def commit() -> str:
    """The commit that the code is at, with `-dirty` if tracked files differ, or `unknown`."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()


def processor() -> str:
    """The processor's model name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def provenance(threads: int, device: str = "cpu", packages: tuple[str, ...] = ("numpy",)) -> dict:
    """What stands beside every measured number: commit, threads, device, processor, versions."""
    versions = {"python": platform.python_version()}
    for name in packages:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return {
        "commit": commit(),
        "threads": threads,
        "device": device,
        "processor": processor(),
        # None: OpenBLAS chooses them by the processor.
        "blas_kernels": os.environ.get("OPENBLAS_CORETYPE"),
        "cores": os.cpu_count(),
        "versions": versions,
    }
