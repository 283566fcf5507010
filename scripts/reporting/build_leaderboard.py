"""Build leaderboard.csv: every evaluation's rows and the published results of the same data sets.

Rows are checked (types, ranges, no duplicates) and sorted by task, dataset, metric, split and
value, best first. A published result joins only if the run has its data set.

accuracy_by_split.csv beside it has the same accuracies by model: one row per model of this run,
with training, validation, test and test over several views in columns of their own.
"""

from pydantic import Field

from pipeline import settings
from pipeline.atomic import write_csv
from pipeline.results import COLUMNS
from reporting import splits
from reporting.leaderboard import OURS, build, published_rows, read_metrics, read_references


class Spec(settings.Settings):
    run: str = Field("run", min_length=1, description="name of the run, as in results/<run>")
    config_sha256: str = Field("0" * 64, description="sha256 of the run's configuration")


INPUTS = {
    "metrics*": "metrics.json of every evaluation",
    "references": "published results, references.yaml",
}
OUTPUTS = {
    "out": "leaderboard.csv",
    "splits": "accuracy_by_split.csv: a row per classifier, a column per split",
}


def main() -> None:
    args = settings.arguments(__doc__, Spec, INPUTS, OUTPUTS)
    added = {"run": args.spec.run, "config_sha256": args.spec.config_sha256, "source": OURS}
    ours = [{**row, **added} for path in args.metrics for row in read_metrics(path)]
    datasets = {row["dataset"] for row in ours}
    published = published_rows(*read_references(args.references), datasets)
    rows = build(ours, published)
    write_csv(args.out, rows, COLUMNS)
    write_csv(args.splits, map(splits.record, splits.classifiers(rows)), splits.COLUMNS)
    print(f"{len(ours)} rows of this run, {len(published)} published -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
