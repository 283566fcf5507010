"""How long the jobs of a run took, read from the benchmark files that Snakemake wrote."""

import csv
from pathlib import Path

COLUMNS = (
    "rule", "jobs", "seconds", "cpu_seconds", "longest_seconds", "max_rss_mb", "kept",
)  # fmt: skip


def job_times(benchmarks: Path) -> list[dict]:
    """One row a rule, the costliest first: jobs, wall and CPU seconds, the longest's, memory.

    benchmarks: the folder with <rule>.tsv or <rule>/<job>.tsv of each job's last execution. A job
    that found its result there and kept it (its log, in the folder `logs` beside, says so) is
    counted in `kept` alone: its seconds are not those of the training.
    """
    rules: dict[str, list[dict]] = {}
    kept: dict[str, int] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        log = (benchmarks.parent / "logs" / path.relative_to(benchmarks)).with_suffix(".log")
        rules.setdefault(rule, [])
        if log.is_file() and log.read_text(encoding="utf-8", errors="replace").endswith(": kept\n"):
            kept[rule] = kept.get(rule, 0) + 1
            continue
        with path.open(newline="", encoding="utf-8") as opened:
            rules[rule].extend(csv.DictReader(opened, delimiter="\t"))
    rows = [
        {
            "rule": rule,
            "jobs": len(jobs),
            "seconds": round(sum(float(job["s"]) for job in jobs), 1),
            "cpu_seconds": round(sum(_number(job["cpu_time"]) for job in jobs), 1),
            "longest_seconds": round(max((float(job["s"]) for job in jobs), default=0.0), 1),
            "max_rss_mb": max((round(_number(job["max_rss"])) for job in jobs), default=0),
            "kept": kept.get(rule, 0),
        }
        for rule, jobs in rules.items()
    ]
    return sorted(rows, key=lambda row: -row["seconds"])


def _number(text: str) -> float:
    """Snakemake writes NA for a job that ended before it was first looked at."""
    return 0.0 if text in ("NA", "-", "") else float(text)
