"""Feed mutated inputs to every reader of data from outside; count what they accept and refuse.

    make fuzz INPUTS=100000
    python tests/fuzz/fuzz.py --inputs 1200000 --seed 2 --out tests/fuzz/last_long_run.csv

Each input must end in a value or in the reader's documented error, within SECONDS and BYTES.
Anything else is a finding: it is kept as a file and printed with the reader's name, and the program
ends with status 1. Input i of a reader depends on (seed, reader, i) alone:
`--only READER --first i --inputs 1` gives it again.
"""

import argparse
import csv
import faulthandler
import io
import math
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "workflow" / "lib"), str(Path(__file__).parent)]

from mutate import mutated  # noqa: E402
from readers import Reader, readers  # noqa: E402

from pipeline.provenance import commit  # noqa: E402

SECONDS = 5  # of processor time: a busy machine makes no input slow
BYTES = 1 << 30
COLUMNS = ("reader", "inputs", "accepted", "refused", "findings", "seconds", "seed", "commit")


class TooSlow(BaseException):
    """An input took longer than SECONDS. No Exception, so that no reader takes it for its own."""


def _alarm(*_: object) -> None:
    raise TooSlow(f"longer than {SECONDS} s")


def accepts(reader: Reader, data: bytes, folder: Path) -> bool:
    """Whether `reader` takes `data`; False for its documented error. Anything else is raised.

    A documented error that hides a MemoryError is raised as that: the reader believed a header.
    """
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        reader.read(data, folder)
        return True
    except reader.refusal as error:
        inner: BaseException | None = error
        while inner is not None:
            if isinstance(inner, MemoryError):
                raise MemoryError(f"hidden in: {error}") from inner
            inner = inner.__context__
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def limit_memory(more: int) -> None:
    """Let this process have `more` bytes of address space beyond what it has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    now = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more, resource.getrlimit(resource.RLIMIT_AS)[1]))


def fuzz(reader: Reader, seed: int, first: int, number: int, folder: Path, kept: Path) -> dict:
    """Give `reader` its inputs first..first + number; returns counts and the kinds of findings."""
    found = {"reader": reader.name, "inputs": number, "accepted": 0, "refused": 0, "seed": seed}
    findings, started = {}, time.perf_counter()
    for index in range(first, first + number):
        data = mutated(reader.seeds, random.Random(f"{seed}/{reader.name}/{index}"))
        try:
            with redirect_stdout(io.StringIO()):
                found["accepted" if accepts(reader, data, folder) else "refused"] += 1
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = (type(error).__name__, frame.filename, frame.lineno)
            if where not in findings:
                kept.mkdir(parents=True, exist_ok=True)
                (kept / f"{reader.name}-{seed}-{index}").write_bytes(data)
                findings[where] = f"{reader.name} {index}: {type(error).__name__}: {error}"
                print("FOUND", findings[where], f"({frame.filename}:{frame.lineno})", flush=True)
    found["findings"] = number - found["accepted"] - found["refused"]
    found["seconds"] = round(time.perf_counter() - started, 1)
    return {**found, "kinds": list(findings.values())}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=100_000, help="of all readers together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one reader's name")
    parser.add_argument("--first", type=int, default=0, help="index of the first input")
    parser.add_argument("--kept", type=Path, default=ROOT / "results/fuzz", help="for findings")
    parser.add_argument("--out", type=Path, help="table of the counts, .csv")
    args = parser.parse_args(argv)
    at = commit()
    signal.signal(signal.SIGPROF, _alarm)
    warnings.simplefilter("ignore")
    rows = []
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # files in memory: no disk
    with tempfile.TemporaryDirectory(dir=memory) as made:
        chosen = [r for r in readers(Path(made)) if args.only in (None, r.name)]
        limit_memory(BYTES)
        whole = sum(reader.weight for reader in chosen)
        for reader in chosen:
            number = math.ceil(args.inputs * reader.weight / whole)
            # What no signal can interrupt ends the process, and says where it stood.
            faulthandler.dump_traceback_later(60 + number * 0.5, exit=True)
            with tempfile.TemporaryDirectory(dir=memory) as folder:
                row = fuzz(reader, args.seed, args.first, number, Path(folder), args.kept)
            rows.append({**row, "commit": at})
            print({key: rows[-1][key] for key in COLUMNS[:6]}, flush=True)
    faulthandler.cancel_dump_traceback_later()
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with args.out.open("w", newline="") as out:
            writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    findings = [line for row in rows for line in row["kinds"]]
    print(f"{sum(row['inputs'] for row in rows)} inputs, {len(findings)} kinds of findings")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
