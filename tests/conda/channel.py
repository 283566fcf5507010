"""Make a local conda channel out of the packages that pip has installed.

    .venv-conda/bin/python tests/conda/channel.py --site .venv/lib/python3.11/site-packages \\
        --out /tmp/channels/conda-forge envs/*.yaml

Where no conda channel can be reached, envs/*.yaml can so be solved for and installed all the same:
the channel holds the packages that they name, whatever these need, and Python, in the versions that
requirements.txt pins. What it cannot show is which versions conda-forge itself has.

A package's files are copied. Those of PyTorch and of the CUDA libraries, gigabytes, are links to
where pip put them. Python is what `python -m venv` makes: a link to the interpreter, with
site-packages of its own. The format: https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html
"""

import argparse
import asyncio
import hashlib
import json
import os
import re
import sys
import tarfile
import zipfile
from importlib.metadata import Distribution, distributions
from io import BytesIO
from pathlib import Path

import yaml
from conda_names import CONDA_NAME, PYPI_NAME
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rattler.index import index_fs
from rattler.platform import Platform

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdFile
else:
    from backports.zstd import ZstdFile

LINKED = "torch"
# What PyPI's torch brings along for GPUs; conda-forge's for CPUs needs none of it.
PART_OF_TORCH = re.compile(r"nvidia-|cuda-|triton$")

MAJOR, MINOR = sys.version_info[:2]
PYTHON, NEXT_PYTHON = f"{MAJOR}.{MINOR}", f"{MAJOR}.{MINOR + 1}"
SITE = f"lib/python{PYTHON}/site-packages"
# Where a file of a package comes from: its path, its content, or a link's target.
File = Path | bytes | str


def needs(found: Distribution) -> list[Requirement]:
    """What `found` needs here, without its extras."""
    requirements = map(Requirement, found.requires or ())
    return [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]


def closure(installed: dict[str, Distribution], names: set[str]) -> set[str]:
    """`names` and, transitively, what they need."""
    seen: set[str] = set()
    todo = set(names)
    while todo:
        name = todo.pop()
        seen.add(name)
        if name not in installed:
            raise SystemExit(f"{name} is named in envs/, but pip has not installed it")
        todo |= {canonicalize_name(r.name) for r in needs(installed[name])} - seen
    return seen


def python_files(site: Path, found: Distribution) -> dict[str, File]:
    """Path in an environment -> file, of all that `found` has in site-packages."""
    names = [str(file) for file in found.files or () if ".." not in file.parts]
    return {f"{SITE}/{name}": site / name for name in names if (site / name).is_file()}


def links(site: Path, parts: list[Distribution]) -> dict[str, File]:
    """Path in an environment -> target, for each folder and module that `parts` have."""
    tops = {file.parts[0] for part in parts for file in part.files or ()} - {"..", "__pycache__"}
    return {f"{SITE}/{top}": str(site / top) for top in tops}


def interpreter() -> dict[str, File]:
    """The files of the package `python`."""
    home = Path(sys.executable).resolve()
    settings = f"home = {home.parent}\ninclude-system-site-packages = false\n"
    return {
        f"bin/python{PYTHON}": str(home),
        "bin/python3": f"python{PYTHON}",
        "bin/python": f"python{PYTHON}",
        "pyvenv.cfg": settings.encode(),
        f"{SITE}/.keep": b"",
    }


def add(tar: tarfile.TarFile, name: str, file: File) -> dict[str, object]:
    """Add one file to `tar`; return its entry of paths.json."""
    if isinstance(file, str):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = tarfile.SYMTYPE, file
        tar.addfile(member)
        return {"_path": name, "path_type": "softlink"}
    content = file if isinstance(file, bytes) else file.read_bytes()
    member = tarfile.TarInfo(name)
    member.size = len(content)
    if isinstance(file, Path):
        # The times too: by them Python knows whether a .pyc is current.
        member.mode, member.mtime = file.stat().st_mode & 0o777, int(file.stat().st_mtime)
    tar.addfile(member, BytesIO(content))
    digest = hashlib.sha256(content).hexdigest()
    entry = {"_path": name, "path_type": "hardlink"}
    return {**entry, "sha256": digest, "size_in_bytes": len(content)}


def pack(folder: Path, name: str, version: str, depends: list[str], files: dict[str, File]) -> None:
    """Write folder/<name>-<version>-<build>.conda."""
    build = f"py{PYTHON.replace('.', '')}_0"
    stem = f"{name}-{version}-{build}"
    index = {"name": name, "version": version, "build": build, "build_number": 0}
    index |= {"depends": depends, "subdir": folder.name}
    with zipfile.ZipFile(folder / f"{stem}.conda", "w") as archive:
        archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')

        def tar(part: str, files: dict[str, File]) -> list[dict[str, object]]:
            with (
                archive.open(f"{part}-{stem}.tar.zst", "w", force_zip64=True) as member,
                ZstdFile(member, "w", level=1) as compressed,
                tarfile.open(fileobj=compressed, mode="w|") as opened,
            ):
                return [add(opened, path, file) for path, file in sorted(files.items())]

        paths = {"paths": tar("pkg", files), "paths_version": 1}
        about = {"index.json": index, "paths.json": paths}
        tar("info", {f"info/{path}": json.dumps(text).encode() for path, text in about.items()})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", type=Path, required=True, help="site-packages of pip's packages")
    parser.add_argument("--out", type=Path, required=True, help="folder of the channel")
    parser.add_argument("envs", type=Path, nargs="+", help="conda environment files")
    args = parser.parse_args()
    site = args.site.resolve()
    folder = args.out / str(Platform.current())
    for subdir in (folder, args.out / "noarch"):
        subdir.mkdir(parents=True)
    named = {
        PYPI_NAME.get(name := dependency.split()[0], name)
        for env in args.envs
        for dependency in yaml.safe_load(env.read_text())["dependencies"]
    }
    installed = {canonicalize_name(d.metadata["Name"]): d for d in distributions(path=[str(site)])}
    packed = closure(installed, named - {"python"})
    pack(folder, "python", ".".join(map(str, sys.version_info[:3])), [], interpreter())
    for name in sorted(name for name in packed if not PART_OF_TORCH.match(name)):
        found = installed[name]
        depends = [f"python >={PYTHON},<{NEXT_PYTHON}.0a0"]
        for requirement in needs(found):
            needed = canonicalize_name(requirement.name)
            if not PART_OF_TORCH.match(needed):
                versions = requirement.specifier
                depends.append(f"{CONDA_NAME.get(needed, needed)} {versions}".strip())
        if name == LINKED:
            parts = [name, *filter(PART_OF_TORCH.match, packed)]
            files = links(site, [installed[part] for part in parts])
        else:
            files = python_files(site, found)
        version = found.version.partition("+")[0]
        pack(folder, CONDA_NAME.get(name, name), version, depends, files)
    asyncio.run(index_fs(args.out.resolve(), write_zst=False, write_shards=False))


if __name__ == "__main__":
    main()
    # Not by the interpreter's own end: rattler's threads have crashed in it, all work done.
    os._exit(0)
