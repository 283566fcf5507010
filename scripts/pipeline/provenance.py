"""Where a number comes from: commit, machine, versions. Read when a job starts, never tracked."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from threadpoolctl import threadpool_info

from pipeline.hashing import file_sha256

REPOSITORY = Path(__file__).resolve().parents[2]
# With these a caller, such as a git hook, points git at a repository of its own.
_ELSEWHERE = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR",
              "GIT_OBJECT_DIRECTORY"}  # fmt: skip
# What OpenBLAS and PyTorch call their kernels -> the instructions that these are made of.
_INSTRUCTIONS = {"Haswell": "AVX2", "Zen": "AVX2", "SkylakeX": "AVX-512", "Cooperlake": "AVX-512",
                 "SapphireRapids": "AVX-512", "AVX512": "AVX-512"}  # fmt: skip


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
        return f"{found}-dirty" if changed else found
    except FileNotFoundError:
        return "unknown (git is not installed)"
    except subprocess.CalledProcessError as error:
        reason = "no commit yet" if "HEAD" in error.cmd else "no git repository"
        if "dubious ownership" in error.stderr:
            reason = "git refuses a folder of another user: see safe.directory in git-config"
        return f"unknown ({reason})"
    except (OSError, subprocess.SubprocessError) as error:
        return f"unknown (git failed: {type(error).__name__})"


def _git(*words: str) -> str:
    """What git prints of this repository. Raises CalledProcessError, OSError, TimeoutExpired."""
    env = {key: value for key, value in os.environ.items() if key not in _ELSEWHERE}
    env["LC_ALL"] = "C"
    # A look at the status takes no lock, which another job's would meet.
    command = ["git", "--no-optional-locks", *words]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


def loaded_code() -> dict[str, str]:
    """The modules of scripts/ that this process has loaded: path -> sha256 of the file now.

    It is the code that runs, whatever git knows of it: an edit of a tree that was dirty already
    shows, and one of a program that does not run here does not.
    """
    scripts = REPOSITORY / "scripts"
    # Only what can be ours: to resolve the paths of a thousand modules takes longer than to hash.
    packages = {"__main__", *(path.name for path in scripts.iterdir())}
    loaded = [
        module for name, module in list(sys.modules.items()) if name.split(".")[0] in packages
    ]
    named = {getattr(module, "__file__", None) for module in loaded}
    paths = (Path(name).resolve() for name in named if name)
    return {
        path.relative_to(REPOSITORY).as_posix(): file_sha256(path)
        for path in sorted(paths)
        if path.is_relative_to(scripts) and path.is_file()
    }


def changed_since(code: Mapping[str, str]) -> bool:
    """Whether a file of `code`, which `loaded_code` returned, is another now, or is gone."""
    with suppress(OSError):
        return any(file_sha256(REPOSITORY / path) != sha256 for path, sha256 in code.items())
    return True


def processor() -> str:
    """The processor's model name as the system gives it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def kernels(device: str = "cpu", precision: str = "float32") -> str:
    """What multiplies matrices in this process: `AVX2, float32`, `AMX, bfloat16`.

    PyTorch's kernels if the process has loaded it, else those of NumPy's OpenBLAS, by the
    instructions that they are made of; of a GPU its name. Another name of theirs stays as it is.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        names = [pool["architecture"] for pool in threadpool_info() if "architecture" in pool]
        found = names[0] if names else "unknown"
    elif device == "cuda":
        found = torch.cuda.get_device_name()
    else:
        found = torch.backends.cpu.get_cpu_capability()
        # An older PyTorch does not say what else the processor has.
        if precision == "bfloat16" and hasattr(torch.cpu, "get_capabilities"):
            found = "AMX" if torch.cpu.get_capabilities().get("amx_bf16") else found
    return f"{_INSTRUCTIONS.get(found, found)}, {precision}"


def provenance(
    threads: int,
    device: str = "cpu",
    packages: tuple[str, ...] = ("numpy",),
    precision: str = "float32",
) -> dict:
    """What is recorded beside every number: commit, threads, device, processor, kernels, versions.

    precision: of the matrix products, see pipeline.precision. Asked before the work, so that it
    describes the code that ran.
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
        "kernels": kernels(device, precision),
        # None: OpenBLAS chooses them by the processor.
        "blas_kernels": os.environ.get("OPENBLAS_CORETYPE"),
        "cores": os.cpu_count(),
        "versions": versions,
    }
