"""Say in words what came out for one's own sequences: score, warnings, and how to go on.

summary.md is for a terminal; summary.json says the same to the report:
    {"title": ..., "description": ..., "sizes": {split: N}, "warnings": [...], "model": name,
     "shared": {split: {"same": N, "near": N}}, "chosen": ..., "seconds": s,
     "models": [{"model": name, "value": MCC x 100, "ci_low": ..., "ci_high": ...,
                 "parameters": N}],
     "predictions": [paths], "predict": command, "explain": command}
models: the best on test first. shared: how many sequences of val and test are in an earlier split
too, as they are or as their reverse complement, and how many have half of their words in one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dna.settings import SummariseSpec
from pipeline import settings
from pipeline.atomic import write_json, write_text
from pipeline.history import read_histories
from pipeline.read_json import read_json
from raw.prepared import load_json
from reporting.formats import seconds, weights
from reporting.leaderboard import OURS, read_leaderboard

INPUTS = {
    "meta": "meta.json",
    "leaderboard": "leaderboard.csv",
    "histories*": "history.json of the trainings",
    "choice?": "choice.json of dna.choose",
}
OUTPUTS = {"out": "summary.md", "record": "summary.json"}
NEEDED = ("title", "description", "sizes", "warnings", "repeated_rows", "near_duplicates")
Row = Mapping[str, Any]
# The baseline that a network has to beat: dna.baselines names it so.
BASELINE = "logistic regression"


def scores(rows: Sequence[Row], dataset: str) -> list[Row]:
    """The rows of MCC on the whole test split, of single models; those of all views, if several."""
    found = [
        row
        for row in rows
        if row["source"] == OURS
        and (row["dataset"], row["metric"]) == (dataset, "mcc")
        and (row["split"], row["subset"], row["members"]) == ("test", "all", "1")
    ]
    models = {row["model"]: row for row in sorted(found, key=lambda row: row["views"] != "none")}
    return sorted(models.values(), key=lambda row: -row["value"])


def shown(row: Row) -> str:
    """MCC x 100 and its interval."""
    low, high = row["ci_low"], row["ci_high"]
    return f"{row['value']:.1f}" + (f" ({low:.1f} to {high:.1f})" if low is not None else "")


def warnings(found: Sequence[Row], model: str) -> list[str]:
    """What makes the score of `model` little worth; found: what `scores` gives."""
    own = next((row for row in found if row["model"] == model), None)
    if own is None:
        return ["test has one class alone: there is no MCC"]
    lines = []
    if own["ci_low"] is None or own["ci_low"] <= 0 <= own["ci_high"]:
        lines.append("the network is not better than chance: its interval covers 0")
    for row in found:
        if BASELINE in str(row["model"]).lower() and row["value"] >= own["value"]:
            lines.append(
                f"the network is not better than {row['model']} ({shown(row)}): what the classes"
                " differ in may be which short words they have, or there are too few sequences"
            )
    return lines


def shared(meta: Row) -> dict[str, dict[str, int]]:
    """Of val and test: how many sequences are in an earlier split, or nearly are, by meta.json."""

    def of(split: str, counts: Mapping[str, int]) -> list[int]:
        return [number for pair, number in counts.items() if pair.startswith(split)]

    return {
        split: {
            "same": sum(of(split, meta["repeated_rows"])),
            "near": max(of(split, meta["near_duplicates"])),
        }
        for split in ("val", "test")
    }


def chosen(choice: Row) -> str:
    """A choice.json in words; an empty text without one."""
    if not choice:
        return ""
    best = choice["tried"][choice["candidate"]]
    strands = "both strands" if best["both_strands"] else "this strand"
    shape = f"pooling {best['model']['pooling']}, stem of {best['model']['stem_kernel']} letters"
    return (
        f"Chosen of {len(choice['tried'])} models on val: {shape}, {strands}"
        f" (val MCC x 100 after a short training: {best['val_mcc'] or 0:.1f})."
    )


def summary(
    spec: SummariseSpec, meta: Row, rows: Sequence[Row], histories: list, choice: Row
) -> dict:
    """What summary.json has."""
    found, model = scores(rows, spec.dataset), histories[0]["model"]
    folder, file = Path(spec.folder), Path(spec.folder, f"seed{spec.seed}", "model.safetensors")
    keys = ("model", "value", "ci_low", "ci_high", "parameters")
    return {
        **{key: meta[key] for key in ("title", "description", "sizes")},
        "warnings": [*meta["warnings"], *warnings(found, model)],
        "model": model,
        "models": [{key: row[key] for key in keys} for row in found],
        "shared": shared(meta),
        "chosen": chosen(choice),
        "seconds": histories[0]["seconds"],
        "predictions": [str(folder / name) for name in ("predictions.csv", "submission.csv")],
        "predict": f".venv/bin/python -m dna.predict {file} new.fasta",
        "explain": f".venv/bin/python -m dna.explain {file} new.fasta"
        " --table effects.csv --picture effects.svg",
    }


def text(told: Row, report: str) -> str:
    """A summary in Markdown; report: where its page is."""
    sizes = ", ".join(f"{size:,} {split}" for split, size in told["sizes"].items())
    lines = [f"# {told['title']}", "", f"{told['description']} Split: {sizes}.", ""]
    lines += ["| model | MCC x 100 on test (95 % interval) | weights |", "|---|---:|---:|"]
    lines += [
        f"| {row['model']} | {shown(row)} | {weights(row['parameters'])} |"
        for row in told["models"]
    ]
    lines += ["", "MCC: 100 if every class is right, 0 by chance."]
    lines += [told["chosen"]] if told["chosen"] else []
    lines.append(f"Training: {seconds(told['seconds'])} per seed.")
    lines += ["", *(f"- **Warning**: {line}." for line in told["warnings"])]
    lines += [
        f"- Report: {report}",
        f"- Predictions of the test sequences: {', '.join(told['predictions'])}",
        f"- Score new sequences: `{told['predict']}`",
        f"- What mattered in each: `{told['explain']}`",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    args = settings.arguments(__doc__, SummariseSpec, INPUTS, OUTPUTS)
    meta = load_json(args.meta, NEEDED)
    histories = read_histories(args.histories, args.histories, "model")
    choice = read_json(args.choice, ("candidate", "tried")) if args.choice else {}
    told = summary(args.spec, meta, read_leaderboard(args.leaderboard), histories, choice)
    write_json(args.record, told)
    page = text(told, args.spec.report)
    write_text(args.out, page)
    print(page, end="")


if __name__ == "__main__":
    settings.run(main)
