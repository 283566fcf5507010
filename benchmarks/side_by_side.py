"""Our code beside a peer's in one process: what the benchmarks that compare the two share.

A benchmark yields a Case for each comparison and hands them to `main`:

    from side_by_side import Case, main

    def cases():
        yield Case("train context 64", "nanoGPT", our_step, their_step, 64 * 12, "tokens")

    if __name__ == "__main__":
        main(__doc__, cases)

Blocks of calls of the two alternate, in the other order each time, so that a machine whose speed
drifts favours neither. Figures are medians over the blocks; the ratio is the median of the ratios
block by block, our throughput over the peer's: above 1, ours is faster. Both have one thread, and
time is the process's CPU time, in which waiting for a core that others use does not count.
"""

import argparse
import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from pipeline.atomic import write_csv
from pipeline.provenance import provenance

BLOCKS = 7
BLOCK_SECONDS = 0.2  # at least
COLUMNS = (
    "work", "peer", "ours", "theirs", "ratio", "unit", "processor", "kernels", "threads",
    "versions", "commit",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One comparison: `ours` and `theirs` do the same `work`, `amount` of `unit` in each call.

    their_amount: what a call of `theirs` does, where that differs; it counts the same unit.
    """

    work: str
    peer: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    amount: float
    unit: str
    their_amount: float | None = None


def seconds(call: Callable[[], object], times: int) -> float:
    """CPU seconds of `times` calls."""
    started = time.process_time()
    for _ in range(times):
        call()
    return time.process_time() - started


def calls_per_block(call: Callable[[], object]) -> int:
    """How many calls take BLOCK_SECONDS or a little longer. Finding that out warms it up."""
    call()
    times = 1
    while seconds(call, times) < BLOCK_SECONDS:
        times *= 2
    return times


def throughputs(case: Case, blocks: int = BLOCKS) -> np.ndarray:
    """Amount per CPU second in each block, (blocks, 2) float64: of ours, of theirs."""
    threadpool_limits(1)
    torch.set_num_threads(1)
    their_amount = case.amount if case.their_amount is None else case.their_amount
    sides = [(call, calls_per_block(call)) for call in (case.ours, case.theirs)]
    spent = np.empty((blocks, 2))  # seconds of one call
    gc.collect()
    gc.disable()
    try:
        for block in range(blocks):
            for side in (0, 1) if block % 2 == 0 else (1, 0):
                call, times = sides[side]
                spent[block, side] = seconds(call, times) / times
    finally:
        gc.enable()
    return np.array([case.amount, their_amount]) / spent


def figures(case: Case) -> dict[str, str | float]:
    """The columns of `case` that are measured or name it, to four digits."""
    found = throughputs(case)
    ours, theirs = np.median(found, axis=0)
    ratio = np.median(found[:, 0] / found[:, 1])
    rounded = {"ours": ours, "theirs": theirs, "ratio": ratio}
    return {
        "work": case.work,
        "peer": case.peer,
        "unit": f"{case.unit}/s",
        **{name: float(f"{value:.4g}") for name, value in rounded.items()},
    }


def main(
    about: str, cases: Callable[[], Iterable[Case]], packages: tuple[str, ...] = ("numpy", "torch")
) -> None:
    """Measure all `cases`, one after the other, and write them to the CSV that --out names.

    about: the benchmark's docstring; packages: those whose versions matter.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="CSV to write")
    out = parser.parse_args().out
    origin = provenance(1, "cpu", packages)
    same = {name: origin[name] for name in ("processor", "kernels", "threads", "commit")}
    same["versions"] = ", ".join(f"{name} {found}" for name, found in origin["versions"].items())
    rows = []
    for case in cases():
        rows.append(figures(case) | same)
        print(*(f"{name} {rows[-1][name]}" for name in COLUMNS[:6]), sep="  ", flush=True)
    write_csv(out, rows, COLUMNS)
