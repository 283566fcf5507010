"""Commands that the tests put on PATH in place of programs that cannot be had."""

import shutil
from pathlib import Path

HERE = Path(__file__).parent


def install(folder: Path, name: str, python: Path) -> None:
    """Make stand_in_<name>.py the command `name` in `folder`, run by `python`."""
    folder.mkdir(exist_ok=True)
    stand_in = (HERE / f"stand_in_{name}.py").read_text()
    (folder / name).write_text(f"#!{python} -I\n{stand_in}")
    (folder / name).chmod(0o755)


def install_conda(folder: Path, python: Path) -> None:
    """Make `conda` and `activate` commands in `folder`."""
    install(folder, "conda", python)
    shutil.copy(HERE / "activate", folder)
