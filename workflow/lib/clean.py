"""Delete a preset's run, and the prepared data that no other run here reads; or every run.

    python workflow/lib/clean.py config/demo.yaml       (make clean PRESET=demo)
    python workflow/lib/clean.py --all                  (make clean-all)
    python workflow/lib/clean.py --name config/demo.yaml    (the folder of its run, for make verify)

Raw data and results/reference stay. What goes is listed first, with its size.
"""

import json
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from check_yaml import read
from snakemake.utils import update_config
from still_running import still_running

KEPT = "reference"
PREPARED = Path("data/processed")


def merged(preset: Path) -> dict:
    """A preset over config.yaml. Raises ValueError with the line that says what is wrong."""
    config: dict = {}
    for path in (preset.with_name("config.yaml"), preset):
        values, wrong = read(path)
        if wrong:
            raise ValueError(wrong)
        update_config(config, values)
    return config


def datasets(config: dict) -> set[str]:
    """The data sets that a run of `config` reads."""
    sections = [config[room] for room in config["rooms"]]
    return {name for s in sections for name in [*s.get("datasets", []), s.get("dataset")] if name}


def results() -> list[Path]:
    """The folders of results/ that git does not keep."""
    return sorted(path for path in Path("results").glob("*/") if path.name != KEPT)


def read_by(run: Path) -> set[str]:
    """The prepared data sets of a run in results/: as its manifest says, or else its preset.

    All, if neither is there: a run that was named by --config and has not finished.
    """
    if not (run / "logs").is_dir():  # results/benchmarks, results/fuzz ...: no run
        return set()
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        told = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        return datasets(told["config"]["values"])
    for preset in Path("config").glob("*.yaml"):
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            config = merged(preset)
            if config["run"] == run.name:
                return datasets(config)
    return {str(path.relative_to(PREPARED)) for path in PREPARED.rglob("*")}


def doomed(preset: Path) -> list[Path]:
    """What `make clean` deletes: the run of a preset, and data that it alone reads."""
    config = merged(preset)
    run = Path("results", config["run"])
    own = datasets(config) | (read_by(run) if run.exists() else set())  # maybe rooms of its own
    needed = set().union(*(read_by(other) for other in results() if other != run))
    return [run, *(PREPARED / name for name in sorted(own - needed))]


def delete(paths: list[Path]) -> None:
    for path in paths:
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path)
    for parent in {path.parent for path in paths} - {Path("results"), Path("data"), PREPARED}:
        with suppress(OSError):  # gue/, while another of its data sets is there
            parent.rmdir()


def agreed() -> bool:
    """Whether the person at the terminal says yes; where there is none, nobody is asked."""
    if not (sys.stdin and sys.stdin.isatty()):
        return True
    try:
        return input("Delete all of this? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        return False


def main() -> None:
    if sys.argv[1] == "--name":
        print(merged(Path(sys.argv[2]))["run"])
        return
    if busy := still_running(Path.cwd().resolve()):
        sys.exit("\n".join([*busy, "error: these still work in this folder: end them first"]))
    if sys.argv[1] == "--all":
        paths = [*results(), PREPARED]
    else:
        paths = doomed(Path(sys.argv[1]))
    if not (paths := [path for path in paths if path.exists() or path.is_symlink()]):
        print("Nothing to delete.")
    for path in paths:
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        print(f"{path} ({size / 1e6:.1f} MB)", flush=True)
    if paths and sys.argv[1] == "--all" and not agreed():
        sys.exit("Nothing was deleted.")
    delete(paths)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"error: cannot be deleted: {error}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        sys.exit(f"error: {sys.argv[-1]}: cannot tell which run this is ({error})")
