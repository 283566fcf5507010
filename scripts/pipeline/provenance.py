"""Where a number comes from: commit, machine, versions. Read when a job starts, never tracked."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
# With these a caller, such as a git hook, points git at a repository of its own.
_ELSEWHERE = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
}


def commit() -> str:
    """The commit that this repository is at, with `-dirty` if tracked files differ from it.

    Files under results are no code and make nothing dirty. Where the commit cannot be read:
    `unknown` and the reason, such as `unknown (no git repository)`.
    """
    try:
        if not Path(_git("rev-parse", "--show-toplevel")).samefile(REPOSITORY):
            return "unknown (only a folder of another git repository)"
        found = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results")
    except FileNotFoundError:
        return "unknown (git is not installed)"
    except subprocess.CalledProcessError as error:
        if "dubious ownership" in error.stderr:
            return (
                "unknown (git refuses a folder of another user: see safe.directory in git-config)"
            )
        return f"unknown ({'no commit yet' if 'HEAD' in error.cmd else 'no git repository'})"
    except (OSError, subprocess.SubprocessError) as error:
        return f"unknown (git failed: {type(error).__name__})"
    return f"{found}-dirty" if changed else found


def _git(*words: str) -> str:
    """What git prints of this repository. Raises CalledProcessError, OSError, TimeoutExpired."""
    environment = {key: value for key, value in os.environ.items() if key not in _ELSEWHERE}
    done = subprocess.run(
        # A look at the status takes no lock, which another job's would meet.
        ["git", "--no-optional-locks", *words],
        cwd=REPOSITORY,
        env=environment | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return done.stdout.strip()


def changed_since(provenance: Mapping[str, Any]) -> bool:
    """Whether the code is at another commit than `provenance` says, or was edited since then."""
    return commit() != provenance["commit"]


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
    """What is recorded beside every number: commit, threads, device, processor, versions.

    Asked before the work, so that it describes the code that ran.
    """
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
