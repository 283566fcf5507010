"""How long the jobs of a run took, read from the benchmark files that Snakemake wrote."""

import csv
from pathlib import Path

COLUMNS = ("rule", "jobs", "seconds", "longest_seconds", "max_rss_mb")


def job_times(benchmarks: Path) -> list[dict]:
    """One row a rule, the costliest first: jobs, wall seconds in all and of the longest, memory.

    benchmarks: the folder with <rule>.tsv or <rule>/<job>.tsv of each job's last execution.
    """
    rules: dict[str, list[dict]] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        with path.open(newline="", encoding="utf-8") as opened:
            rules.setdefault(rule, []).extend(csv.DictReader(opened, delimiter="\t"))
    rows = [
        {
            "rule": rule,
            "jobs": len(jobs),
            "seconds": round(sum(float(job["s"]) for job in jobs), 1),
            "longest_seconds": round(max(float(job["s"]) for job in jobs), 1),
            "max_rss_mb": max(_megabytes(job["max_rss"]) for job in jobs),
        }
        for rule, jobs in rules.items()
    ]
    return sorted(rows, key=lambda row: -row["seconds"])


def _megabytes(text: str) -> int:
    """Snakemake writes NA for a job that ended before it was first looked at."""
    return 0 if text in ("NA", "-", "") else round(float(text))
