"""chaos.py must not pass on hits that show nothing."""

from judge import hollow, left_over
from run import Kill


def hits(after="resumed", seconds=1.5, checkpoint=True):
    """Rows of a training that was hit twice, of Snakemake, and of 30 other jobs."""
    return [
        Kill(1, "TERM", "job", "train_mlp/plain.seed1", 1.5, False, 0, "resumed"),
        Kill(2, "KILL", "job", "train_mlp/plain.seed1", seconds, checkpoint, 0, after),
        *(
            Kill(3, "KILL", "snakemake", "train_mlp/plain.seed1", 1.5, True, 0, f"its jobs: {turn}")
            for turn in ("end", "kill", "go on")
        ),
        *(Kill(4, "KILL", "job", f"plot/{i}", 0.5, False, 9, "started over") for i in range(30)),
    ]


def test_hits_that_show_what_they_should():
    assert hollow(hits(), {"train_mlp"}) == []


def test_a_training_that_never_resumed():
    never = ["train_mlp: never resumed after SIGKILL"]
    assert hollow(hits(after="started over"), {"train_mlp"}) == never
    assert hollow(hits(checkpoint=False), {"train_mlp"}) == never
    assert hollow(hits()[1:], {"train_mlp"}) == ["train_mlp: never resumed after SIGTERM"]


def test_a_hit_before_the_job_began():
    assert hollow(hits(seconds=0.0), {"train_mlp"}) == [
        "train_mlp/plain.seed1: hit before it began"
    ]


def test_too_few_hits():
    found = hollow(hits()[:2], {"train_mlp"})
    assert found[-1] == "fewer than 30 kills hit" and len(found) == 4


def test_scores_that_are_kept_are_not_left_over(tmp_path):
    for name in (".kept/train_rung/a.json", ".kept/train_rung/.b.json", ".checkpoints/mlp/lock"):
        path = tmp_path / "results" / "faults" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    assert sorted(left_over(tmp_path)) == [
        "results/faults/.checkpoints/mlp/lock: left over",
        "results/faults/.kept/train_rung/.b.json: left over",
    ]
