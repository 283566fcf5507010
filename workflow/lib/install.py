"""Install the pins of a requirements file into .venv; make calls it:

    python3 workflow/lib/install.py requirements.txt --stamp .venv/ready [--torch cpu] [--fresh]

uv installs, by pip's configuration; where uv itself cannot be had, pip installs. Both refuse a file
whose hash its pin does not name. A package that make has installed and that no file pins any more
is removed; what a person has added to .venv stays. While packages change, .venv/unfinished is
there; after a kill make starts over (--fresh), because half a package looks like a whole one.

With --torch cpu, PyTorch's builds for CPUs, from PyTorch's own index, take the place of the pinned
ones. They have the pinned versions, but other hashes, so that theirs are not checked.

It needs the standard library alone.
"""

import argparse
import ast
import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
# The command line nn. It finds its Python beside itself, whatever the path of this folder is like;
# with -P no cli of the folder that it is called from comes first.
NN = VENV / "bin" / "nn"
LAUNCHER = """#!/bin/sh
exec "$(dirname "$0")/python" -P -m cli "$@"
"""
# Both hold the place of .venv, and which PyTorch is in it.
READY = VENV / "ready"
UNFINISHED = VENV / "unfinished"
# The pins that are installed: copies of the requirements files.
INSTALLED = VENV / "installed"
PYTORCH = ("torch", "torchvision")
# What the pinned PyTorch needs for GPUs.
FOR_GPUS = ("cuda-", "nvidia-", "triton")
# pip's option: uv's variable for it, and what separates several values there.
VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "keyring-provider": ("UV_KEYRING_PROVIDER", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "proxy": ("ALL_PROXY", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
}


def like_pip(configuration, environment):
    """Words and environment that make uv follow what `pip config list` printed.

    What `environment` says to uv itself wins.
    """
    said = {}
    for section in ("global", "install", ":env:"):  # The last one that names an option counts.
        for line in configuration.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(section + "."):
                said[name[len(section) + 1 :]] = ast.literal_eval(value)
    words = ["--no-index"] if said.get("no-index", "").lower() in ("1", "true", "yes", "on") else []
    # As with pip, a version may come from any of the indexes: the hashes make that safe.
    told = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for option, (variable, separator) in VARIABLES.items():
        if option in said:
            told[variable] = separator.join(said[option].split())
    if not os.access(os.path.expanduser("~"), os.W_OK):
        told["UV_CACHE_DIR"] = os.path.abspath(".snakemake/cache/uv")
    return words, {**told, **environment}


def blocks(pins):
    """(name, text with version, marker and hashes) of each pin of a requirements file's text."""
    found = re.finditer(r"^([a-z0-9-]+)==.*(?:\n +--hash.*)*\n", pins, flags=re.MULTILINE)
    return [(block[1], block[0]) for block in found]


def files_for(pins, torch):
    """File name -> text of what to install: the pins with hashes, and those that have none."""
    text = pins.read_text()
    if torch == "cuda":
        return {pins.name: text}
    kept = [block for name, block in blocks(text) if not name.startswith((*PYTORCH, *FOR_GPUS))]
    builds = [block.split()[0] for name, block in blocks(text) if name in PYTORCH]
    files = {pins.name: "".join(kept)}
    return {**files, "cpu.txt": "\n".join([*builds, ""])} if builds else files


def installed():
    """Names of the packages that make has installed."""
    return {name for path in INSTALLED.glob("*.txt") for name, _ in blocks(path.read_text())}


def remembered():
    """Which PyTorch .venv has, or was getting."""
    for path in (UNFINISHED, READY):
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) == 2:
            return lines[1]
    return "cuda"


def must(status):
    """End if an installer has failed."""
    if status:
        sys.exit(f"{VENV} is not up to date: the lines above say why")


def pip(*words, **more):
    """Run the pip of .venv."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *words]
    return subprocess.run(command, **more)


@functools.cache
def pip_configuration():
    """What pip is told by its files and the environment, a line each."""
    return pip("config", "list", stdout=subprocess.PIPE, text=True).stdout


def uv_install(*words):
    """Run uv and show what it says, but not the list of all packages."""
    more, environment = like_pip(pip_configuration(), os.environ)
    command = [str(UV), "pip", "install", "--python", str(PYTHON), "--no-deps", *more, *words]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as uv:
        for line in uv.stderr:
            if not line.startswith((" + ", " - ", " ~ ", "Using Python")):
                print(line, end="", file=sys.stderr, flush=True)
    return uv.returncode


def pip_install(*words):
    """The same with pip."""
    return pip("install", "--quiet", "--no-deps", *words).returncode


def fetch_uv():
    """Install uv with pip; return whether it runs."""
    words = ("--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes")
    pip("install", *words, "-r", "requirements-uv.txt", stderr=subprocess.DEVNULL)
    try:
        return not subprocess.run([str(UV), "--version"], stdout=subprocess.DEVNULL).returncode
    except OSError:
        return False


def create(note):
    """Make an empty .venv with pip in it."""
    if os.path.lexists(VENV) and not VENV.is_dir():
        sys.exit(f"{VENV} is no folder: remove it")
    VENV.mkdir(exist_ok=True)
    UNFINISHED.write_text(note)
    python = os.path.realpath(sys.executable)  # The link in .venv, if that runs this, goes now.
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != UNFINISHED:
            path.unlink()
    failed = subprocess.run([python, "-m", "venv", str(VENV)]).returncode
    if failed and not importlib.util.find_spec("ensurepip"):
        sys.exit("Python has no venv module: on Debian and Ubuntu, apt install python3-venv")
    must(failed)


def bring_up_to_date(pins, torch, note):
    """Install what changed in `pins`, and remove what no file pins any more."""
    install, files = uv_install, files_for(pins, torch)
    hashed = ("--require-hashes", "-r", str(INSTALLED / pins.name))
    if fetch_uv():
        # No change to .venv if an index cannot be reached.
        dry = ("--quiet", "--dry-run", "--require-hashes", "-r", str(pins))
        must(torch == "cuda" and uv_install(*dry))
        hashed += ("--build-constraints", "requirements.txt")
    elif torch == "cpu":
        sys.exit("TORCH=cpu needs uv, which pip cannot install here")
    else:
        print("uv cannot be installed here: pip takes its place, more slowly.", flush=True)
        install = pip_install
    UNFINISHED.write_text(note)
    before = installed()
    INSTALLED.mkdir(exist_ok=True)
    for name, text in files.items():
        (INSTALLED / name).write_text(text)
    must(install(*hashed))
    if "cpu.txt" in files:
        print("PyTorch's builds for CPUs: the versions are pinned, the hashes are not.", flush=True)
        must(install("--torch-backend", "cpu", "-r", str(INSTALLED / "cpu.txt")))
    gone = before - installed()
    if gone:
        must(pip("uninstall", "--quiet", "--quiet", "--yes", *sorted(gone)).returncode)
    if pins.name == "requirements.txt":
        for site in VENV.glob("lib/python*/site-packages"):
            # Relative: Python reads it in the encoding of the locale, which may lack a letter of
            # this folder's path and then would not start at all.
            (site / "scripts.pth").write_text(f"{os.path.relpath('scripts', site)}\n")
        NN.write_text(LAUNCHER)
        NN.chmod(0o755)


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pins", type=Path, help="requirements file")
    parser.add_argument("--stamp", type=Path, required=True, help="file to write at the end")
    parser.add_argument("--torch", choices=["cpu", "cuda", ""], help="default: as last time")
    parser.add_argument("--fresh", action="store_true", help="start from an empty .venv")
    args = parser.parse_args(words)
    if sys.version_info < (3, 11):  # noqa: UP036
        version = sys.version.split()[0]
        sys.exit(f"Python 3.11 or newer is needed, found {version}: set PYTHON=/path/to/python3.11")
    torch = args.torch or remembered()
    note = f"{VENV.resolve()}\n{torch}\n"
    if args.fresh or not READY.exists():
        size = "" if torch == "cpu" else ": about 6 GB, most of it PyTorch"
        print(f"Installing the pinned packages into {VENV}{size}.", flush=True)
    else:
        print(f"Bringing {VENV} up to date with {args.pins}.", flush=True)
    if args.fresh or not PYTHON.exists() or pip("--version", stdout=subprocess.DEVNULL).returncode:
        create(note)
    bring_up_to_date(args.pins, torch, note)
    UNFINISHED.rename(args.stamp)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:  # a full disk, a folder of somebody else's
        sys.exit(f"{VENV} cannot be written: {error}")
