"""Many dry runs in one folder, quickly: Snakemake is imported once, each dry run is a fork of it.

    python dry_runs.py FOLDER < requests.json > answers.json

A request is a mapping that is merged over the configuration of the demo. Its answer lists the jobs
that a run would do: [rule, first output], or the end of what Snakemake said, as a text.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

import yaml
from snakemake import api, cli, dag, workflow  # noqa: F401

JOB = re.compile(r"^(?:local)?rule (\w+):\n(?:    input: .*\n)?    output: ([^,\n]+)", re.M)


def warm(folder: Path) -> None:
    """Parse every program once, so that no fork has to."""
    sys.path.insert(0, str(folder / "workflow" / "lib"))
    from code_hash import code_hash

    for path in (folder / "scripts").glob("*/*.py"):
        code_hash(folder / "scripts", f"{path.parent.name}.{path.stem}")


def dry_run(change: dict, out: Path) -> None:
    """In the child: print a dry run with `change` into `out`, and end."""
    handle = os.open(out, os.O_WRONLY | os.O_CREAT)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    path = out.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(change))
    words = ["--configfile", "config/demo.yaml", str(path), "--cores", "2", "--dry-run"]
    status = 1
    try:
        cli.main([*words, "--nolock"])
    except SystemExit as end:
        status = end.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


def answer(status: int, shown: str) -> list[list[str]] | str:
    if status:
        return shown[-2000:]
    return [list(found) for found in JOB.findall(shown) if found[0] != "all"]


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    os.chdir(folder)
    requests = json.load(sys.stdin)
    warm(folder)
    answers: list = [None] * len(requests)
    running: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as name:

        def collect() -> None:
            child, status = os.wait()
            number = running.pop(child)
            shown = Path(name, f"{number}.txt").read_text()
            answers[number] = answer(os.waitstatus_to_exitcode(status), shown)

        for number, change in enumerate(requests):
            if len(running) == 2:
                collect()
            child = os.fork()
            if not child:
                dry_run(change, Path(name, f"{number}.txt"))
            running[child] = number
        while running:
            collect()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
