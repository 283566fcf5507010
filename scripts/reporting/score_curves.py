"""Curves of class probabilities on a test split: ROC, precision and recall, reliability.

They are drawn of the records that dna.scoring.curves makes: our model's first, then those of its
baselines.
"""

from collections.abc import Mapping, Sequence

from reporting import charts
from reporting.charts import Axis, Series

SIDE = 160  # Pixels of a plot from 0 to 1.
MOST = 6  # Lines of a plot: there are so many styles.


def square(
    series: Sequence[Series],
    label: str,
    x_title: str,
    y_title: str,
    chance: Sequence[tuple[float, float]],
    sizes: Sequence[float] = (),
) -> str:
    """Lines from 0 to 1 on both axes.

    chance: two points of a dashed line, what one has without a model; sizes: the areas of dots on
    the points of the first series, 1 for the largest.
    """
    top, left = 20, 30.0
    x, y = Axis(0, 1, left, left + SIDE), Axis(0, 1, top + SIDE, top)
    parts = [charts.words(0, top - 8, y_title)]
    for tick in y.ticks:
        parts.append(charts.stroke(left, y.at(tick), left + SIDE, y.at(tick), "grid"))
        parts.append(charts.words(left - 5, y.at(tick) + 4, f"{tick:g}", anchor="end"))
        parts.append(charts.words(x.at(tick), top + SIDE + 16, f"{tick:g}", anchor="middle"))
    parts.append(charts.words(left + SIDE, top + SIDE + 31, x_title, anchor="end"))

    def places(points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in points)

    shape = f'class="axis" fill="none" stroke-dasharray="2 3" points="{places(chance)}"'
    parts.append(f"<polyline {shape}/>")
    for one in sorted(series, key=lambda one: not one.faint):
        kind = f'class="line s{one.style % 6}{" faint" * one.faint}"{charts.dashes(one.style)}'
        parts.append(
            f'<polyline {kind} points="{places(one.points)}">{charts.tip(one.name)}</polyline>'
        )
    for (a, b), size in zip(series[0].points, sizes, strict=False):
        told = charts.tip(f"confidence {a:.2f}: {b:.1%} right")
        at = f'cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="{2 + 5 * size**0.5:.1f}"'
        parts.append(f'<circle class="ours" fill-opacity=".5" {at}>{told}</circle>')
    names = {one.name: one.style for one in series}
    below, height = charts.legend(names, top + SIDE + 38)
    return charts.panel(charts.WIDTH, height + 4, [*parts, *below], label)


def entries(records: Sequence[Mapping], curve: str, value: str) -> list[tuple[str, Mapping]]:
    """(name, entry) of the lines of a curve, `value` in their names.

    Of two classes, one line for each model; of more, one for each class of the first model, at most
    MOST of them, those with the lowest value.
    """
    several = len(records[0][curve]) > 1
    found = []
    for record in records[:1] if several else records[:MOST]:
        known = [one for one in record[curve] if one[value] is not None]
        for one in sorted(known, key=lambda one: one[value])[:MOST]:
            found.append((f"{one['class'] if several else record['model']}: {one[value]:.3f}", one))
    return found


def lines(found: Sequence[tuple[str, Mapping]], x: str, y: str) -> list[Series]:
    """The first line strong, the others behind it."""
    return [
        Series(name, list(zip(one[x], one[y], strict=True)), style, faint=style > 0)
        for style, (name, one) in enumerate(found)
        if one[x] and one[y]
    ]


def score_curves(records: Sequence[Mapping], of: str) -> list[str]:
    """Panels of the first record's model beside the others', those that the split gives.

    records: of dna.scoring.curves; of: the model, for the panels' names.
    """
    drawn = []
    roc = entries(records, "roc", "auc")
    if series := lines(roc, "false", "true"):
        axes = "false positive rate", "true positive rate"
        drawn.append(square(series, f"{of}: ROC curves", *axes, [(0, 0), (1, 1)]))
    recall = entries(records, "precision_recall", "average_precision")
    if series := lines(recall, "recall", "precision"):
        share = recall[0][1]["share"]
        chance = [(0.0, share), (1.0, share)] if len(records[0]["roc"]) == 1 else []
        told = f"{of}: precision and recall"
        drawn.append(square(series, told, "recall", "precision", chance))
    found = [(record["model"], record["reliability"]) for record in records[:MOST]]
    named = [(f"{name}: {one['calibration_error']:.3f}", one) for name, one in found]
    series = lines(named, "confidence", "accuracy")
    examples = records[0]["reliability"]["examples"]
    sizes = [number / max(examples) for number in examples]
    axes = "confidence of the answer", "share of right answers"
    drawn.append(square(series, f"{of}: reliability", *axes, [(0, 0), (1, 1)], sizes))
    return drawn


def quality_of(records: Sequence[Mapping]) -> str:
    """The areas and the calibration error of the first record's model in words."""
    first = records[0]
    found = []
    for curve, value, name in (
        ("roc", "auc", "area under the ROC curve (AUC)"),
        ("precision_recall", "average_precision", "average precision (AP)"),
    ):
        known = [one[value] for one in first[curve] if one[value] is not None]
        if known:
            mean = " on average over the classes" if len(known) > 1 else ""
            found.append(f"{name} {sum(known) / len(known):.3f}{mean}")
    error = first["reliability"]["calibration_error"]
    return ", ".join([*found, f"calibration error (ECE) {error:.3f}"])
