"""Successive halving: draws, rungs, rankings, and what must not be in them."""

import json
import subprocess

import numpy as np
import pytest
from test_mlp_programs import DIVERGES, command, data, run  # noqa: F401

from mlp.draw_candidates import draw
from mlp.halving import entrant
from mlp.rank_rung import over_folds, rank
from mlp.settings import DrawSpec, FullRecipe, RungSpec
from mlp.training import changed
from pipeline.atomic import write_json
from pipeline.errors import InputError

pytestmark = pytest.mark.slow

SPACE = {"lr": [0.01, 0.1, 1.0], "hidden": [[8], [16, 8]], "dropout": [0.0, 0.5]}


def score(place, accuracy, loss=0.5, parameters=10, **more):
    return {
        "dataset": "fake",
        "rung": 0,
        "epochs": 2,
        "place": place,
        "candidate": f"c{place:02d}",
        "settings": {"lr": 0.1 + place},
        "accuracy": accuracy,
        "diverged": accuracy is None,
        "message": "diverged at step 7" if accuracy is None else None,
        "seconds": 1.0,
        "parameters": parameters,
        "loss": None if accuracy is None else loss,
        **more,
    }


def test_draws_are_different_and_a_longer_list_begins_with_the_shorter():
    found = draw(DrawSpec(candidates=12, space=SPACE))
    assert len({json.dumps(c, sort_keys=True) for c in found}) == 12, "the whole space"
    assert draw(DrawSpec(candidates=5, space=SPACE)) == found[:5]
    assert draw(DrawSpec(candidates=5, space=SPACE, seed=1)) != found[:5]
    included = {"lr": 0.01, "hidden": [8], "dropout": 0.5}
    mixed = draw(DrawSpec(candidates=12, space=SPACE, include=[included]))
    assert mixed[0] == included and mixed.count(included) == 1


def test_a_space_that_is_too_small_is_refused():
    with pytest.raises(InputError, match="expected at most 12 of .* found 13"):
        draw(DrawSpec(candidates=13, space=SPACE))
    twice = {"lr": 0.01, "hidden": [8], "dropout": 0.5}
    with pytest.raises(InputError, match="at most 12"):
        draw(DrawSpec(candidates=13, space=SPACE, include=[twice]))
    assert len(draw(DrawSpec(candidates=13, space=SPACE, include=[{"lr": 7.0}]))) == 13


def test_ranking_worked_example():
    """Best accuracy first; of equal ones the lower loss, then fewer parameters, then the place."""
    scores = [
        score(0, 0.80),
        score(1, None),
        score(2, 0.90, loss=0.4),
        score(3, 0.90, loss=0.3),
        score(4, 0.90, loss=0.4, parameters=5),
        score(5, 0.80),
    ]
    assert [s["place"] for s in rank(scores)] == [3, 4, 2, 0, 5, 1]
    with pytest.raises(InputError, match="found 2 that diverged .*step 7.* lower the search's lr"):
        rank([score(0, None), score(1, None)])


def test_who_enters_a_rung(tmp_path):
    ranking = tmp_path / "ranking.json"
    candidates = [{"candidate": "c03", "settings": {}}, {"candidate": "c01", "settings": {}}]
    write_json(ranking, {"dataset": "fake", "rung": 0, "candidates": candidates})
    assert entrant(ranking, "fake", 1, 1)["candidate"] == "c01"
    for arguments in (("other", 1, 0), ("fake", 2, 0), ("fake", 0, 0), ("fake", 1, 2)):
        with pytest.raises(InputError, match="ranking.json: expected"):
            entrant(ranking, *arguments)


def test_a_candidate_must_be_a_recipes():
    assert changed(RungSpec(epochs=3), {"hidden": [3]}) == RungSpec(epochs=3, hidden=[3])
    for candidate, message in (
        ({"hiden": [3]}, "candidate: hiden: unknown key; did you mean 'hidden'"),
        ({"epochs": 3}, "candidate: epochs: unknown key"),
        ({"seed": 3}, "candidate: seed: unknown key"),
        ({"dropout": 1.5}, "candidate: dropout: expected a number below 1.*found 1.5"),
        ({"batch_size": 1}, "candidate: norm: expected none or layer with batch_size 1"),
    ):
        with pytest.raises(InputError, match=message):
            changed(FullRecipe(norm="batch"), candidate)


@pytest.fixture
def search(repository, data):  # noqa: F811
    """train(rung, place) and rank_all(rung, places, survivors) in a folder of their own."""
    space = {"lr": [0.1, DIVERGES["lr"]], "hidden": [[8], [16]]}
    spec = {"dataset": "fake", "candidates": 4, "space": space}
    done = run(repository, "mlp.draw_candidates", spec, out=data / "candidates.json")
    assert done.returncode == 0, done.stderr
    base = {**DIVERGES, "lr": 0.1, "dataset": "fake", "folds": 3, "batch_size": 20}

    def train(rung, place, **more):
        before = data / f"rung{rung - 1}.json" if rung else data / "candidates.json"
        out = data / f"{rung}.{place}.fold{more.get('fold', 0)}.json"
        spec = {**base, "rung": rung, "place": place, "epochs": 2 + rung, **more}
        paths = {"data": data / "images.npz", "meta": data / "meta.json", "ranking": before}
        done = run(repository, "mlp.train_rung", spec, **paths, out=out, kept=data / "kept")
        return done, out

    def rank_all(rung, places, survivors, folds=(0,), **more):
        training = {**base, "rung": rung, "epochs": 2 + rung, **more}
        trainings = [{**training, **({"fold": fold} if fold else {})} for fold in folds]
        spec = {"survivors": survivors, "trainings": trainings}
        scores = [data / f"{rung}.{place}.fold{f}.json" for place in range(places) for f in folds]
        before = data / f"rung{rung - 1}.json" if rung else data / "candidates.json"
        out = data / f"rung{rung}.json"
        paths = {"scores": scores, "ranking": before, "meta": data / "meta.json", "out": out}
        return run(repository, "mlp.rank_rung", spec, **paths), out

    return data, train, rank_all


def test_a_search_end_to_end(repository, search):
    folder, train, rank_all = search
    for place in range(4):
        done, out = train(0, place)
        assert done.returncode == 0, done.stderr
    done, ranking = rank_all(0, 4, 2, momentum=0.5)
    assert done.returncode == 1 and "of another candidate, settings, code or data" in done.stderr
    assert not ranking.exists()
    done, ranking = rank_all(0, 4, 2)
    assert done.returncode == 0, done.stderr
    found = json.loads(ranking.read_text())["candidates"]
    assert [c["survives"] for c in found] == [True, True, False, False]
    assert [c["diverged"] for c in found] == [False, False, True, True]
    assert {c["settings"]["lr"] for c in found[:2]} == {0.1}
    assert sorted(c["came_from"] for c in found) == [0, 1, 2, 3]

    assert train(1, 0)[0].returncode == 0
    # A place that only a diverged candidate could take is not trained, and stays diverged.
    done, out = train(1, 2)
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["diverged"] and json.loads(out.read_text())["seconds"] == 0
    assert train(1, 1)[0].returncode == 0
    done, last = rank_all(1, 3, 1)
    assert done.returncode == 0, done.stderr
    chosen = folder / "chosen.json"
    spec = {"dataset": "fake"}
    rankings = [ranking, last]
    done = run(repository, "mlp.choose_survivor", spec, rankings=rankings, out=chosen)
    assert done.returncode == 0, done.stderr
    best = json.loads(last.read_text())["candidates"][0]
    selection = json.loads(chosen.read_text())
    assert selection["selected"] == best["settings"] and selection["accuracy"] == best["accuracy"]
    assert [r["candidates"] for r in selection["rungs"]] == [4, 3]
    done = run(repository, "mlp.choose_survivor", spec, rankings=rankings[::-1], out=chosen)
    assert done.returncode == 1 and "rank again" in done.stderr


def test_several_folds_rank_by_their_mean(search):
    _, train, rank_all = search
    for place in range(4):
        for fold in (0, 2):
            done, out = train(0, place, fold=fold) if fold else train(0, place)
            assert done.returncode == 0, done.stderr
    done, ranking = rank_all(0, 4, 1, folds=(2, 0))
    assert done.returncode == 0, done.stderr
    found = json.loads(ranking.read_text())
    best = found["candidates"][0]
    assert found["folds"] == [2, 0] and len(best["fold_accuracy"]) == 2
    assert best["accuracy"] == pytest.approx(np.mean(best["fold_accuracy"]))
    apart = [
        json.loads((out.parent / f"0.{best['came_from']}.fold{f}.json").read_text()) for f in (2, 0)
    ]
    assert best["fold_accuracy"] == [score["accuracy"] for score in apart]
    assert best["seconds"] == pytest.approx(sum(score["seconds"] for score in apart))
    # The scores of one fold in the place of another's.
    (out.parent / "0.0.fold2.json").write_bytes((out.parent / "0.0.fold0.json").read_bytes())
    done, _ = rank_all(0, 4, 1, folds=(2, 0))
    assert done.returncode == 1 and "of another candidate, settings, code or data" in done.stderr
    done, _ = rank_all(0, 3, 1, folds=(0, 2, 1))
    assert done.returncode == 1


def test_a_wrong_number_of_scores_is_named(repository, tmp_path):
    scores = [tmp_path / f"{number}.json" for number in range(3)]
    paths = {"ranking": tmp_path / "ranking.json", "meta": tmp_path / "meta.json"}
    for path in (*scores, *paths.values()):
        path.write_text("{}")
    spec, out = {"trainings": [{}, {"fold": 1}]}, tmp_path / "out.json"
    done = run(repository, "mlp.rank_rung", spec, scores=scores, **paths, out=out)
    assert done.returncode == 1 and not out.exists()
    assert "--scores: expected 2 for each place, one per fold, found 3" in done.stderr


def test_who_diverges_on_one_fold_has_diverged():
    found = over_folds([score(0, 0.9, loss=0.2), score(0, None), score(0, 0.8)])
    assert (found["accuracy"], found["loss"], found["diverged"]) == (None, None, True)
    assert found["message"] == score(0, None)["message"]
    assert found["fold_accuracy"] == [0.9, None, 0.8]
    found = over_folds([score(0, 0.9, loss=0.2), score(0, 0.8, loss=0.4)])
    assert (found["accuracy"], found["loss"]) == (pytest.approx(0.85), pytest.approx(0.3))
    assert not found["diverged"] and found["message"] is None


def test_a_result_is_kept_only_for_the_same_candidate_settings_and_data(search):
    folder, train, _ = search
    candidates = json.loads((folder / "candidates.json").read_text())
    good = [k for k, c in enumerate(candidates["candidates"]) if c["settings"]["lr"] < 1]
    place = good[0]
    _, out = train(0, place)
    first = out.read_bytes()
    for damage in (lambda: None, out.unlink):
        damage()
        done, _ = train(0, place)
        assert done.stdout.endswith(": kept\n") and out.read_bytes() == first
    assert "kept" not in train(0, place, epochs=3)[0].stdout
    assert "kept" in train(0, place)[0].stdout, "the result of the former settings is still there"

    candidates["candidates"][place]["candidate"] = "c77"
    write_json(folder / "candidates.json", candidates)
    assert "kept" not in train(0, place)[0].stdout
    assert json.loads(out.read_text())["candidate"] == "c77"
    candidates["candidates"][place] |= {"diverged": True, "message": "before", "parameters": 1}
    write_json(folder / "candidates.json", candidates)
    assert "kept" not in train(0, place)[0].stdout and json.loads(out.read_text())["diverged"]
    candidates["candidates"][place] |= {"diverged": False}
    write_json(folder / "candidates.json", candidates)
    meta = json.loads((folder / "meta.json").read_text())
    write_json(folder / "meta.json", {**meta, "data_sha256": "1" * 64})
    assert "kept" not in train(0, place)[0].stdout
    candidates["candidates"][place]["settings"]["dropout"] = 0.3
    write_json(folder / "candidates.json", candidates)
    assert "kept" not in train(0, place)[0].stdout
    for path in (folder / "kept").iterdir():
        path.write_text(path.read_text()[:50])
    assert "kept" not in train(0, place)[0].stdout


def test_a_training_that_is_stopped_leaves_no_older_result_standing(repository, search):
    folder, train, _ = search
    candidates = json.loads((folder / "candidates.json").read_text())["candidates"]
    # One that diverges would end by itself, with a result.
    place = next(k for k, c in enumerate(candidates) if c["settings"]["lr"] < 1)
    _, out = train(0, place)
    assert out.exists()
    spec = {"dataset": "fake", "folds": 3, "batch_size": 20, "epochs": 10_000, "place": place}
    paths = {"data": folder / "images.npz", "meta": folder / "meta.json", "out": out}
    line = command(repository, "mlp.train_rung", spec, **paths, ranking=folder / "candidates.json")
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert "epoch" in process.stdout.readline()  # the first one is done
    process.kill()
    process.wait()
    process.stdout.close()
    assert not out.exists()


def test_the_held_out_fold_is_not_trained_on(search):
    folder, train, _ = search
    candidates = json.loads((folder / "candidates.json").read_text())["candidates"]
    place = next(k for k, c in enumerate(candidates) if c["settings"]["lr"] < 1)
    first = json.loads(train(0, place)[1].read_text())
    with np.load(folder / "images.npz") as stored:
        arrays = dict(stored)
    from mlp.folds import split

    _, held_out = split(arrays["train_y"], 0, 3, 0)
    arrays["train_x"][held_out] = 255 - arrays["train_x"][held_out]
    np.savez(folder / "images.npz", **arrays)
    write_json(
        folder / "meta.json",
        {**json.loads((folder / "meta.json").read_text()), "data_sha256": "2" * 64},
    )
    second = json.loads(train(0, place)[1].read_text())
    first_curve, second_curve = first["curve"], second["curve"]
    assert [e["train_accuracy"] for e in first_curve] == [e["train_accuracy"] for e in second_curve]
    assert first_curve[-1]["val_accuracy"] != second_curve[-1]["val_accuracy"]
