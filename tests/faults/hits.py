"""Which process is hit, with what, and when: all drawn from one seed."""

import os
import random
import signal
from dataclasses import dataclass, field

from processes import Process
from run import Kill, Run, Seen

# What becomes of the jobs of a Snakemake that was killed alone.
TURNS = ("end", "kill", "go on")


@dataclass
class Chaos:
    """What is still to be hit.

    Moments count in CPU seconds, as shares of what the job needs when left alone, so that they do
    not depend on the load. A training is hit in its loop alone, after it took the lock of its
    checkpoint: one of each rule first by SIGTERM, then, resumed from what it saved, by SIGKILL. One
    that found a checkpoint is left alone until it said that it resumed: killed before, the hit
    whose state it has would count as one that nothing resumed from.
    """

    random: random.Random
    jobs: dict[str, int]  # rule -> SIGKILLs to come
    preempt: set[str]  # rules of which one job gets SIGTERM first
    resume: set[str]  # rules of which a job that resumed gets SIGKILL
    snakemake: list[str]  # hits on Snakemake to come: group, or one of TURNS
    orphans: list[Process] = field(default_factory=list)
    turn: str = ""  # what becomes of `orphans`
    _share: dict[Process, float] = field(default_factory=dict)
    _hit: set[Process] = field(default_factory=set)
    _due: float | None = None

    def strike(self, run: Run, snakemake, known: dict[Process, Seen]) -> bool:
        """Hit what is due now; whether Snakemake itself was killed."""
        living = {process: seen for process, seen in known.items() if process.lives()}
        for process, seen in living.items():
            if name := self._due_for(run, process, seen):
                self._end(run, process, name)
        return self._strike_snakemake(run, snakemake, known, living)

    @property
    def missed(self) -> set[str]:
        left = {rule for rule, hits in self.jobs.items() if hits}
        return left | self.preempt | self.resume

    def _due_for(self, run: Run, process: Process, seen: Seen) -> str | None:
        """TERM, KILL, or None: not now."""
        rule = process.rule
        training = process.checkpoint() is not None
        if process in self._hit or (training and seen.before is None) or seen.silent:
            return None
        # Late enough to be in the middle; of a training so early that its rest can be hit again.
        share = self._share.setdefault(process, self.random.uniform(0.1, 0.4 if training else 0.8))
        moment = (seen.before or 0) + share * run.usual.get(process.job, 0.1)
        if seen.seconds == 0 or seen.seconds < moment:
            return None
        if rule in self.preempt:
            return "TERM"
        if rule in self.resume and seen.resumed and run.has_checkpoint(process):
            return "KILL"
        # One hit is kept for the job that has resumed.
        return "KILL" if self.jobs.get(rule, 0) > (rule in self.resume) else None

    def _end(self, run: Run, process: Process, name: str) -> None:
        there, seconds = run.has_checkpoint(process), process.seconds()
        if process.end(signal.Signals[f"SIG{name}"]):
            if name == "TERM":
                self.preempt.remove(process.rule)
            else:
                self.jobs[process.rule] -= 1
                if there:
                    self.resume.discard(process.rule)
            self._hit.add(process)
            row = (run.sessions, name, "job", process.job, seconds, there, len(run.finished))
            run.kills.append(Kill(*row))

    def _strike_snakemake(
        self, run: Run, snakemake, known: dict[Process, Seen], living: dict[Process, Seen]
    ) -> bool:
        if not self.snakemake or not living or any(seen.silent for seen in living.values()):
            return False
        used = sum(seen.seconds for seen in known.values())
        if self._due is None:
            self._due = used + self.random.uniform(1, 6)
        in_loop = any(seen.before is not None for seen in living.values())
        # Only a training has a lock that keeps the next start of its job out.
        if used < self._due or (self.snakemake[0] == "go on" and not in_loop):
            return False
        self._due = None
        self.turn = self.snakemake.pop(0)
        there = any(run.has_checkpoint(process) for process in living)
        if self.turn == "group":
            os.killpg(snakemake.pid, signal.SIGKILL)
        else:
            snakemake.kill()
            self.orphans = list(living)
        target = "group" if self.turn == "group" else "snakemake"
        names = " ".join(process.job for process in living)
        seconds = round(sum(seen.seconds for seen in living.values()), 2)
        after = "next session" if self.turn == "group" else f"its jobs: {self.turn}"
        row = (run.sessions, "KILL", target, names, seconds, there, len(run.finished), after)
        run.kills.append(Kill(*row))
        return True
