"""Takes conda's place where none can be had: as much of its command line as Snakemake calls.

It solves for real packages and installs them as conda would, by py-rattler, the solver and
installer of pixi. Like conda it reads CONDA_CHANNEL_ALIAS (with file:///channels the channel
conda-forge is /channels/conda-forge) and CONDA_PKGS_DIRS (where unpacked packages are kept), and
environments are activated by the script `activate` beside it. Lock files, the `pip:` part of an
environment and all other commands of conda are refused.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

# The conda whose command line this follows; Snakemake wants 24.7.1 at least.
VERSION = "25.3.0"
ROOT = Path(__file__).resolve().parents[1]
ALIAS = os.environ.get("CONDA_CHANNEL_ALIAS", "https://conda.anaconda.org").rstrip("/") + "/"
PACKAGES = Path(os.environ.get("CONDA_PKGS_DIRS", ROOT / "pkgs"))


def info() -> None:
    """conda info --json: where conda is, and for what platform it installs."""
    system = {"linux": "linux", "darwin": "osx"}[sys.platform]
    machine = {"x86_64": "64"}.get(os.uname().machine, os.uname().machine)
    print(json.dumps({"conda_prefix": str(ROOT), "platform": f"{system}-{machine}"}))


def create(file: Path, prefix: Path) -> None:
    """conda env create: what `file` asks for, installed into the new folder `prefix`."""
    import yaml
    from rattler import Channel, ChannelConfig, VirtualPackage, install, solve
    from rattler.exceptions import GatewayError, InvalidMatchSpecError, SolverError
    from rattler.repo_data.gateway import Gateway

    asked = yaml.safe_load(file.read_text())
    odd = [entry for entry in asked["dependencies"] if not isinstance(entry, str)]
    if odd:
        raise SystemExit(f"{file}: {odd[0]}: this stand-in for conda installs conda packages only")
    channels = [Channel(c, ChannelConfig(ALIAS)) for c in asked["channels"] if c != "nodefaults"]

    async def work() -> None:
        records = await solve(
            channels,
            asked["dependencies"],
            Gateway(cache_dir=PACKAGES / "repodata"),
            virtual_packages=VirtualPackage.detect(),
        )
        prefix.mkdir(parents=True, exist_ok=True)
        await install(records, prefix, cache_dir=PACKAGES, show_progress=False)

    try:
        asyncio.run(work())
    except (GatewayError, InvalidMatchSpecError, SolverError) as error:
        raise SystemExit(f"{file} cannot be installed from {ALIAS}: {error}") from None


def main(words: list[str]) -> None:
    if words == ["--version"]:
        print(f"conda {VERSION}")
    elif words[:1] == ["info"]:
        info()
    elif words[:2] == ["config", "--get"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif words[:2] == ["env", "create"]:
        parser = argparse.ArgumentParser(prog="conda env create")
        for flag in ("--quiet", "--no-default-packages"):
            parser.add_argument(flag, action="store_true")
        parser.add_argument("--file", type=Path, required=True)
        parser.add_argument("--prefix", type=Path, required=True)
        args = parser.parse_args(words[2:])
        create(args.file, args.prefix)
    elif words[:1] != ["clean"]:
        raise SystemExit(f"this stand-in for conda does not know: conda {' '.join(words)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
        status = 0
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        status = error.code if isinstance(error.code, int) else 1
    # Not by the interpreter's own end: rattler's threads have crashed in it, all work done.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
