"""Commands that the tests put on PATH in place of programs that cannot be had."""

import shlex
import shutil
from pathlib import Path

HERE = Path(__file__).parent


def install(folder: Path, name: str, python: Path) -> None:
    """Make stand_in_<name>.py the command `name` in `folder`, run by `python`."""
    folder.mkdir(exist_ok=True)
    # Beside the command: it finds its own folders from there.
    stand_in = Path(shutil.copy(HERE / f"stand_in_{name}.py", folder)).resolve()
    # Not `#!{python}`: such a line holds no space and no long path.
    words = shlex.join([str(python), "-I", str(stand_in)])
    (folder / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    (folder / name).chmod(0o755)


def install_conda(folder: Path, python: Path) -> None:
    """Make `conda` and `activate` commands in `folder`."""
    install(folder, "conda", python)
    shutil.copy(HERE / "activate", folder)
