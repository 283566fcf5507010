"""Say in words what came out for one's own sequences: score, warnings, and how to go on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from dna.settings import SummariseSpec
from pipeline import settings
from pipeline.atomic import write_text
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
Row = Mapping[str, object]
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


def text(spec: SummariseSpec, meta: Row, rows: Sequence[Row], histories: list, choice: Row) -> str:
    """The page, in Markdown."""
    found = scores(rows, spec.dataset)
    told = [*meta["warnings"], *warnings(found, histories[0]["model"])]
    sizes = ", ".join(f"{size:,} {split}" for split, size in meta["sizes"].items())
    lines = [f"# {meta['title']}", "", f"{meta['description']} Split: {sizes}.", ""]
    lines += ["| model | MCC x 100 on test (95 % interval) | weights |", "|---|---:|---:|"]
    lines += [f"| {row['model']} | {shown(row)} | {weights(row['parameters'])} |" for row in found]
    lines += ["", "MCC: 100 if every class is right, 0 by chance."]
    if choice:
        best = choice["tried"][choice["candidate"]]
        strands = "both strands" if best["both_strands"] else "this strand"
        shape = (
            f"pooling {best['model']['pooling']}, stem of {best['model']['stem_kernel']} letters"
        )
        lines.append(
            f"Chosen of {len(choice['tried'])} models on val: {shape}, {strands}"
            f" (val MCC x 100 after a short training: {best['val_mcc'] or 0:.1f})."
        )
    lines.append(f"Training: {seconds(histories[0]['seconds'])} per seed.")
    lines += ["", *(f"- **Warning**: {line}." for line in told)]
    folder, model = Path(spec.folder), Path(spec.folder, f"seed{spec.seed}", "model.safetensors")
    lines += [
        f"- Report: {spec.report}",
        f"- Predictions of the test sequences: {folder / 'predictions.csv'},"
        f" {folder / 'submission.csv'}",
        f"- Score new sequences: `.venv/bin/python -m dna.predict {model} new.fasta`",
        f"- What mattered in each: `.venv/bin/python -m dna.explain {model} new.fasta"
        " --table effects.csv --picture effects.svg`",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    args = settings.arguments(__doc__, SummariseSpec, INPUTS, {"out": "summary.md"})
    meta = load_json(args.meta, ("title", "description", "sizes", "warnings"))
    histories = read_histories(args.histories, args.histories, "model")
    choice = read_json(args.choice, ("candidate", "tried")) if args.choice else {}
    page = text(args.spec, meta, read_leaderboard(args.leaderboard), histories, choice)
    write_text(args.out, page)
    print(page, end="")


if __name__ == "__main__":
    settings.run(main)
