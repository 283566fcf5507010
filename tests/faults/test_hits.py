"""chaos.py must not kill a training in the moment in which its own judgement would be lost."""

import random

import pytest
from hits import Chaos
from processes import Process
from run import Run, Seen

JOB = "train_mlp/plain.seed1"


class Standing(Process):
    """A training that lives, in its loop, and takes every signal."""

    def lives(self):
        return True

    def checkpoint(self):
        return "results/faults/.checkpoints/mlp"

    def seconds(self):
        return 5.0

    def end(self, with_signal=None):
        return True


class Snakemake:
    killed = False

    def kill(self):
        self.killed = True


@pytest.mark.parametrize(("judged", "resumed", "hit"), [(1, 0, 0), (1, 1, 1), (0, 0, 1)])
def test_a_training_with_a_checkpoint_is_hit_once_it_resumed(tmp_path, judged, resumed, hit):
    run, snakemake = Run(tmp_path, 2), Snakemake()
    run.usual[JOB] = 1.0
    known = {Standing(1, "1", JOB): Seen(bool(judged), 5.0, before=0.1, resumed=bool(resumed))}
    for jobs, turns in (({"train_mlp": 1}, []), ({}, ["end"])):
        chaos = Chaos(random.Random(0), jobs, set(), set(), turns)
        for used in (5.0, 50.0):
            next(iter(known.values())).seconds = used
            chaos.strike(run, snakemake, known)
    assert len(run.kills) == 2 * hit and snakemake.killed == bool(hit)
