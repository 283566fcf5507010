"""Write the recipes of this folder from envs/*.yaml (make container).

Snakemake writes them (--containerize): an image that holds each environment of envs/ where a run
with `CONTAINER=image` looks for it, in a folder named by the hash of the environment file. Only the
tag of the base image is put in here, since `latest` is another one every month. Snakemake asks
conda for its platform before it writes; nothing is installed, so the tests' stand-in may answer.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RECIPES = {"Dockerfile": "dockerfile", "apptainer.def": "apptainer"}
BASE = "condaforge/miniforge3"
TAG = "25.11.0-0"
NOTE = "# Written by `make container` from envs/*.yaml. How to use it: docs/environments.md\n"


def recipe(form: str, programs: str) -> str:
    """What Snakemake prints in the format `form`, with `programs` before PATH."""
    snakemake = Path(sys.executable).with_name("snakemake")
    done = subprocess.run(
        [snakemake, "--configfile", "config/demo.yaml", "--containerize", form],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
    )
    if done.returncode or f"{BASE}:latest\n" not in done.stdout:
        raise SystemExit(f"snakemake --containerize {form} failed:\n{done.stderr}")
    return NOTE + done.stdout.replace(f"{BASE}:latest\n", f"{BASE}:{TAG}\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = Path(__file__).parent
    parser.add_argument("--out", type=Path, default=here, help="folder (default: this one)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as programs:
        conda = Path(programs, "conda")
        stand_in = REPOSITORY / "tests" / "conda" / "stand_in_conda.py"
        # By sh: in a line that begins with #! the path of Python may hold no space.
        conda.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(stand_in)])} "$@"\n')
        conda.chmod(0o755)
        written = {name: recipe(form, programs) for name, form in RECIPES.items()}
    for name, text in written.items():
        (args.out / name).write_text(text)


if __name__ == "__main__":
    main()
