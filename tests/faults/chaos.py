"""Kill a run of the demo again and again, and see what survives.

    python tests/faults/chaos.py --seed 1 --kept results/faults      (make test-faults)

Runs the demo twice from nothing, in two folders with different numbers of cores: once left alone,
once under random kill -9, of every rule's jobs, of Snakemake alone and of Snakemake with all its
jobs; one job of each training rule gets SIGTERM before. Then both must hold the same bytes, no job
that was finished may have run again, a training with a checkpoint must have resumed, and no lock
and no half-written file may be left. Ends with status 1, a line for each thing that is wrong.
The table of the kills is KEPT/kills.csv. Linux only.
"""

import argparse
import csv
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict, fields
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from safetensors.numpy import load_file

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests" / "workflow")]

from harness import copy_repository, planned  # noqa: E402
from run import Chaos, Kill, Run  # noqa: E402

from manifest.check import check, compare, read_manifest  # noqa: E402
from pipeline.atomic import write_csv  # noqa: E402
from pipeline.npz import read_npz  # noqa: E402

TRAININGS = ("train_mlp", "train_vision", "train_gpt", "train_dna", "train_seq2seq")
MANY = {"train_mlp": 4, "cross_validate_mlp": 2, "train_rung": 2}  # hits; every other rule: 1
SNAKEMAKE = ["group", "snakemake", "group", "snakemake", "group", "snakemake"]
MOST_SESSIONS = 60
READERS = {
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".csv": lambda path: list(csv.reader(path.open(newline="", encoding="utf-8"), strict=True)),
    ".npz": read_npz,
    ".npy": lambda path: np.load(path, allow_pickle=False),
    ".safetensors": load_file,
    ".svg": ElementTree.parse,
}


def unreadable(folder: Path) -> list[str]:
    """A line for each file of a result or of data, by its final name, that is not whole."""
    lines = []
    for path in (*folder.glob("results/**/*"), *folder.glob("data/**/*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path.suffix in READERS:
            try:
                READERS[path.suffix](path)
            except Exception as error:  # whatever a reader says of a half-written file
                lines.append(f"{path.relative_to(folder)}: not whole: {error}")
    return lines


def left_over(folder: Path) -> list[str]:
    """A line for each lock, temporary file or checkpoint that a finished run must not have."""
    hidden = [
        path
        for top in ("results", "data")
        for path in (folder / top).rglob("*")
        if path.is_file() and any(p.startswith(".") for p in path.relative_to(folder).parts)
    ]
    snakemakes = [
        path
        for name in ("locks", "incomplete")
        for path in (folder / ".snakemake" / name).rglob("*")
        if path.is_file()
    ]
    return [f"{path.relative_to(folder)}: left over" for path in (*hidden, *snakemakes)]


def endure(run: Run, rules: dict[str, int], generator: random.Random) -> None:
    """Run under kills until every rule was hit and the run is finished."""
    chaos = Chaos(generator, dict(rules), set(TRAININGS) & set(rules), list(SNAKEMAKE))
    turns = iter(("end", "kill", "go on") * MOST_SESSIONS)
    words: tuple[str, ...] = ()
    while run.sessions < MOST_SESSIONS:
        status = run.session(chaos, *words)
        words = ()
        run.wrong += unreadable(run.folder)
        if status is None:
            _follow(chaos, next(turns) if chaos.orphans else "")
            run.unlock()
        elif status == 0:
            missed = sorted(rule for rule, hits in chaos.jobs.items() if hits)
            if not missed:
                return
            # Its jobs were done before the kill came: once more, by order.
            words = ("--forcerun", *missed)
            forced = planned(run.folder, *words)
            run.finished = {job for job in run.finished if job.split("/")[0] not in forced}
            print(f"came too late for {', '.join(missed)}: forced to run again", flush=True)
    run.wrong.append(f"not finished after {MOST_SESSIONS} sessions")


def _follow(chaos: Chaos, turn: str) -> None:
    """Jobs that outlived Snakemake: ended, killed, or left alone where a lock guards them."""
    orphans, chaos.orphans = chaos.orphans, []
    for process in orphans:
        if turn != "go on" or process.rule not in TRAININGS:
            process.end(signal.SIGKILL if turn == "kill" else signal.SIGTERM)
            while process.lives():
                time.sleep(0.05)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    parser.add_argument("--kept", type=Path, required=True, help="folder of kills.csv")
    parser.add_argument("--folder", type=Path, help="work here and keep it (default: temporary)")
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp(prefix="faults-"))
    # Both at once: what is edited meanwhile belongs to neither.
    places = folder / "calm" / "copy", folder / "hit"
    calm, hit = (
        Run(copy_repository(REPOSITORY, place), cores)
        for place, cores in zip(places, (2, 3), strict=True)
    )
    if calm.session() != 0:
        print((calm.folder / "session1.log").read_text()[-5000:])
        return 1
    hit.usual = calm.usual
    rules = {job["rule"]: 1 for job in read_manifest(calm.run)["jobs"]}
    rules |= dict.fromkeys(calm.usual, 1)
    rules |= {rule: hits for rule, hits in MANY.items() if rule in rules}
    print(
        f"left alone: {calm.seconds:.0f} s, {len(calm.starts)} jobs, {len(rules)} rules", flush=True
    )
    endure(hit, rules, random.Random(args.seed))

    wrong = hit.wrong + left_over(hit.folder) + left_over(calm.folder)
    wrong += [
        f"{job}: ran {n} times in a run left alone" for job, n in calm.starts.items() if n > 1
    ]
    if (hit.run / "leaderboard.csv").exists():
        lines, same = compare(calm.run, hit.run, (False, False))
        wrong += [f"differs from the run left alone: {line}" for line in lines]
        wrong += check(hit.run, read_manifest(hit.run), True)[0]
        wrong += [f"a finished run would run {job}" for job in planned(hit.folder)]
    else:
        same = 0
    unhit = sorted(set(rules) - {kill.job.split("/")[0] for kill in hit.kills})
    wrong += [f"{rule}: never hit" for rule in unhit]
    kills = [kill for kill in hit.kills if kill.signal == "KILL"]
    if len(kills) < 30:
        wrong.append(f"only {len(kills)} kills hit")
    columns = [name.name for name in fields(Kill)]
    write_csv(args.kept / "kills.csv", map(asdict, hit.kills), columns)
    for line in wrong:
        print(line)
    resumed = sum(kill.after == "resumed" for kill in hit.kills)
    print(
        f"seed {args.seed}: {len(kills)} x SIGKILL ({sum(k.target != 'job' for k in kills)} of"
        f" Snakemake), {len(hit.kills) - len(kills)} x SIGTERM, {len(rules)} rules, {hit.sessions}"
        f" sessions, {hit.seconds:.0f} s; {resumed} trainings resumed, {same} files with the same"
        f" bytes, {len(wrong)} things wrong -> {args.kept / 'kills.csv'}"
    )
    if not args.folder and not wrong:
        shutil.rmtree(folder)
    elif wrong:
        print(f"kept for a look: {folder}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
