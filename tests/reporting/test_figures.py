"""Figures: the same bytes each time, readable names, nothing that is cut."""

import numpy as np
import pytest
from fabricated_run import of_this_run
from finished_run import PLOTS, call

from pipeline.atomic import write_json
from pipeline.errors import InputError
from reporting import (
    plot_attention,
    plot_confusion,
    plot_curves,
    plot_grid,
    plot_leaderboard,
    plots,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", [*PLOTS, "leaderboard"])
def test_figures_have_the_same_bytes_each_time(finished, tmp_path, kind):
    """The last one, drawn alone, is the same as after all the others: nothing leaks."""
    first = finished.folder / "figures" / kind
    names = [figure.name for figure in finished.plan[kind]]
    assert sorted(names) == sorted(path.name for path in first.iterdir()) != []
    assert finished.draw(kind, tmp_path, last=True) == names[-1:]
    assert (tmp_path / names[-1]).read_bytes() == (first / names[-1]).read_bytes()
    for name in names:
        content = (first / name).read_bytes()
        assert b"<dc:date>" not in content and b" \n" not in content


def test_confusion_counts_by_hand():
    label, prediction = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 2])
    wanted = [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    assert plot_confusion.confusion(label, prediction, 3).tolist() == wanted


def test_a_diverged_candidate_and_a_single_one_can_be_drawn(finished, tmp_path, monkeypatch):
    one = {"lr": 0.1, "batch_size": 32, "dropout": 0.0, "fold_accuracy": [0.9], "std": None}
    bad = {**one, "lr": 9.0, "fold_accuracy": [], "mean": None}
    path = tmp_path / "selection.json"
    for candidates in ([{**one, "mean": 0.9}], [{**one, "mean": 0.9}, bad]):
        write_json(path, {"candidates": candidates, "selected": candidates[0]})
        spec = {"names": ["grid.svg"], "titles": ["a search"]}
        call(monkeypatch, plot_grid, spec, selections=[path], figures=tmp_path / "figures")


def test_a_figure_of_the_leaderboard_leaves_room_for_published_results():
    group = [of_this_run(model="single", values=[0.5])]
    group += [of_this_run(members=f"{n} folds", values=[0.9]) for n in range(20)]
    published = [{**of_this_run(model=f"p{n}", values=[0.8]), "source": "S (2020)"} for n in "abc"]
    kept = [row["model"] for row in plot_leaderboard.keep([*group, *published], 9)]
    assert len(kept) == 9 and {"single", "pa", "pb", "pc"} <= set(kept)
    assert len(plot_leaderboard.keep(published + group[:1], 3)) == 3


def test_names_and_inputs_must_agree(finished, tmp_path, monkeypatch):
    paths = finished.files["attention"]
    with pytest.raises(InputError, match="names: expected 1"):
        spec = {"names": ["a.svg", "b.svg"]}
        call(monkeypatch, plot_attention, spec, attention=paths, figures=tmp_path)


def test_rows_of_the_leaderboard_are_as_high_as_their_longest_name():
    several = [of_this_run(), of_this_run(inputs="HOG")]
    assert plot_leaderboard.labels(several)[1] == "MLP 784-512-256-10 on HOG [numpy]"
    assert plot_leaderboard.labels(several[1:]) == ["MLP 784-512-256-10 [numpy]"]
    short, long = of_this_run(model="a"), of_this_run(model="a long name of many words " * 4)
    assert plot_leaderboard.labels([long])[0].count("\n") == 2
    assert plot_leaderboard.height([short, long]) > plot_leaderboard.height([short, short])


def test_the_legend_of_curves_tells_each_kind_of_line_once():
    """Though the first history, that of a final training, has no validation."""
    final = {"seed": 1, "curve": [{"epoch": 1, "train_loss": 1.0}, {"epoch": 2, "train_loss": 0.5}]}
    fold = {"seed": 0, "fold": 1, "curve": [{"epoch": 1, "train_loss": 1.0, "val_loss": 0.9}]}
    _, axes = plots.plt.subplots()
    plot_curves.draw(axes, [final, fold, fold], "loss", plot_curves.Spec())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    plots.plt.close("all")


def test_a_long_title_stays_inside_its_figure():
    plots.start(72)
    figure = plots.plt.figure(figsize=(4, 3))
    plots.heading(figure, "A data set with a name that is far too long for one line of $4", "told")
    figure.canvas.draw()
    assert figure._suptitle.get_window_extent().x1 <= 4 * 72
    plots.plt.close(figure)


def test_a_title_is_said_once():
    titled = plots.titled
    assert titled("CIFAR-10", "CIFAR-10: CNN") == "CIFAR-10: CNN"
    assert titled("Digits (stand-in)", "MLP on Digits") == "MLP on Digits (stand-in)"
    assert titled("CIFAR-10", "CNN") == "CIFAR-10: CNN"
