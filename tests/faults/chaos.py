"""Kill a run of the demo again and again, and see what survives.

    python tests/faults/chaos.py --seed 1 --kept results/faults      (make test-faults)

Runs the demo with shorter trainings (short.yaml) twice from nothing, in two folders with different
numbers of cores: once left alone, once under kill -9 at random moments, of every rule's jobs, of
Snakemake alone and of Snakemake with all its jobs. A job of each training rule gets SIGTERM in its
loop, and kill -9 after it resumed from what it then saved. Then both runs must hold the same bytes,
no job that was finished may have run again, each training rule must have resumed after both, and no
lock and no half-written file may be left. Ends with status 1, a line for each thing that is wrong.
The table of the hits is KEPT/kills.csv. Linux only.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict, fields
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / name) for name in ("scripts", "tests", "tests/workflow")]

from harness import planned  # noqa: E402
from hits import Chaos  # noqa: E402
from judge import hollow, left_over, unreadable  # noqa: E402
from run import PRESET, Kill, Run, short_copy  # noqa: E402

from manifest.verify import check, compare, read_manifest  # noqa: E402
from pipeline.atomic import write_csv  # noqa: E402

TRAININGS = ("train_mlp", "train_vision", "train_gpt", "train_dna", "train_seq2seq")
MANY = {"train_mlp": 2, "cross_validate_mlp": 2, "train_rung": 2}  # hits; every other rule: 1
SNAKEMAKE = ["group", "go on", "group", "end", "kill"]
MOST_SESSIONS = 60


def endure(run: Run, rules: dict[str, int], generator: random.Random) -> None:
    """Run under kills until every rule was hit and the run is finished."""
    trainings = set(TRAININGS) & set(rules)
    chaos = Chaos(generator, dict(rules), set(trainings), set(trainings), list(SNAKEMAKE))
    words: tuple[str, ...] = ()
    while run.sessions < MOST_SESSIONS:
        # Once the trainings resumed in a later session: in the same one too, as on a cluster.
        again = () if chaos.preempt or chaos.resume or chaos.snakemake else ("--retries", "3")
        status = run.session(chaos, *words, *again)
        words = ()
        run.wrong += unreadable(run.folder)
        if status is None:
            _follow(run, chaos)
        elif status == 0:
            missed = sorted(chaos.missed)
            if not missed:
                if chaos.snakemake:
                    run.wrong.append(f"Snakemake was not hit: {', '.join(chaos.snakemake)}")
                return
            # Its jobs were done before the kill came: once more, by order.
            chaos.preempt |= chaos.resume
            words = ("--forcerun", *missed)
            forced = planned(run.folder, *words, preset=PRESET)
            run.finished = {job for job in run.finished if job.split("/")[0] not in forced}
            print(f"came too late for {', '.join(missed)}: forced to run again", flush=True)
    run.wrong.append(f"not finished after {MOST_SESSIONS} sessions")


def _follow(run: Run, chaos: Chaos) -> None:
    """Jobs that outlived Snakemake: ended, killed, or left alone where a lock guards them."""
    orphans, chaos.orphans = chaos.orphans, []
    if orphans:
        answer = run.unlock()
        if answer.returncode and "still work in this folder" in answer.stderr:
            run.refused += 1
        elif any(process.lives() for process in orphans):
            run.wrong.append(f"make unlock while {orphans[0].job} ran: {answer.stderr}")
    for process in orphans:
        if chaos.turn == "go on" and process.rule in TRAININGS:
            run.left_alone.add(process)
        else:
            process.end(signal.SIGKILL if chaos.turn == "kill" else signal.SIGTERM)
            while process.lives():
                time.sleep(0.05)
    # `make unlock` refuses while one is left alone; a person on another machine does not see it.
    done = run.unlock(by_force=any(process.lives() for process in run.left_alone))
    if done.returncode:
        run.wrong.append(f"not unlocked: {done.stdout}{done.stderr}")


def _cpu_seconds() -> float:
    """CPU seconds of all programs that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


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
        Run(short_copy(REPOSITORY, place), cores)
        for place, cores in zip(places, (2, 3), strict=True)
    )
    if calm.session() != 0:
        print((calm.folder / "session1.log").read_text()[-5000:])
        return 1
    hit.usual = calm.usual
    rules = {job["rule"]: 1 for job in read_manifest(calm.run)["jobs"]}
    rules |= {job.split("/")[0]: 1 for job in calm.usual}
    rules |= {rule: hits for rule, hits in MANY.items() if rule in rules}
    used = _cpu_seconds()
    print(
        f"left alone: {calm.seconds:.0f} s, {used:.0f} s of CPU, {len(calm.starts)} jobs,"
        f" {len(rules)} rules",
        flush=True,
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
        wrong += [f"a finished run would run {job}" for job in planned(hit.folder, preset=PRESET)]
    else:
        same = 0
    unhit = sorted(
        set(rules) - {kill.job.split("/")[0] for kill in hit.kills if kill.target == "job"}
    )
    wrong += [f"{rule}: never hit" for rule in unhit]
    if not hit.refused:
        wrong.append("make unlock never met a program that outlived its Snakemake")
    wrong += hollow(hit.kills, set(TRAININGS) & set(rules))
    kills = [kill for kill in hit.kills if kill.signal == "KILL"]
    columns = [name.name for name in fields(Kill)]
    write_csv(args.kept / "kills.csv", map(asdict, hit.kills), columns)
    for line in wrong:
        print(line)
    resumed = sum(kill.after == "resumed" for kill in hit.kills)
    print(
        f"seed {args.seed}: {len(kills)} x SIGKILL ({sum(k.target != 'job' for k in kills)} of"
        f" Snakemake), {len(hit.kills) - len(kills)} x SIGTERM, {len(rules)} rules, {hit.sessions}"
        f" sessions, {hit.seconds:.0f} s, {_cpu_seconds() - used:.0f} s of CPU or more;"
        f" {resumed} resumptions, {hit.refused} x make unlock refused, {same} files with the same"
        f" bytes, {len(wrong)} things wrong -> {args.kept / 'kills.csv'}"
    )
    if not args.folder and not wrong:
        shutil.rmtree(folder)
    elif wrong:
        print(f"kept for a look: {folder}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
