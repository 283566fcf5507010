"""Wrong configurations are refused before anything runs, in one clear line each."""

import copy

import pytest
import yaml
from configuration import Configuration, ConfigurationError, check_config, checked, load_table

from raw.table import Table
from reporting.references import References


@pytest.fixture(scope="module")
def datasets(repository):
    return load_table(repository / "config" / "datasets.yaml", Table)


@pytest.fixture
def config(repository):
    text = (repository / "config" / "config.yaml").read_text()
    return yaml.load(text, yaml.CSafeLoader)  # as SafeLoader, eight times as fast


def merged(base, change):
    """What Snakemake makes of two configuration files: mappings merge, all else is replaced."""
    result = copy.deepcopy(base)
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def refused(config, datasets):
    with pytest.raises(ConfigurationError) as caught:
        check_config(config, datasets)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("preset", ["config", "demo", "smoke", "full", "ensemble", "dna"])
def test_every_preset_is_valid(preset, config, repository, datasets):
    change = yaml.safe_load((repository / "config" / f"{preset}.yaml").read_text())
    found = check_config(merged(config, change), datasets)
    assert found.run == {"config": "standard"}.get(preset, preset)


STORIES = "gpt.settings.grammar_stories"


def at(path, value):
    """{"a": {"b": value}} for "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("mlp.cv.fold", 3, "config: mlp.cv.fold: unknown key; did you mean 'folds'?"),
        ("mlps", {}, "config: mlps: unknown key; did you mean 'mlp'?"),
        ("run", "a b", "config: run: expected letters, digits, _ and -, a letter or digit first"),
        (
            "rooms",
            ["mlp", "gtp"],
            "config: rooms.1: expected 'mlp', 'vision', 'gpt', 'dna' or 'seq",
        ),
        ("rooms", [], "config: rooms: expected a list of 1 or more, found []"),
        ("rooms", ["mlp", "mlp"], "config: rooms: expected each entry once, found 'mlp' twice"),
        ("mlp.cv.folds", 1, "config: mlp.cv.folds: expected at least 2, found 1"),
        ("mlp.cv.folds", "x", 'config: mlp.cv.folds: expected a whole number, found "x"'),
        ("mlp.folds_to_train", 6, "config: mlp.folds_to_train: expected at most cv.folds"),
        (
            "mlp.recipes.common.dropout",
            1.5,
            "config: mlp.recipes.common.dropout: expected a number below 1, found 1.5",
        ),
        (
            "mlp.recipes.common.flips",
            None,
            "config: mlp.recipes.common.flips: expected true or false, found null",
        ),
        ("mlp.grid.lr", ["1e-3"], "write 1.0e-3"),
        ("mlp.grid.lr", ["0.1"], "write it without quotes; within --config"),
        ("mlp.recipes.plain.lr", float("nan"), "mlp.recipes.plain.lr: expected a finite number"),
        ("mlp.recipes.common.batch_size", 32.0, "batch_size: expected a whole number, found 32.0"),
        ("mlp.recipes.mixer.batch_size", 1, "mlp.recipes.mixer."),
        ("mlp.final.plain.epochs", 2.0, "mlp.final.plain.epochs: expected a whole number"),
        ("mlp.final.plain.seeds", [1.0], "mlp.final.plain.seeds.0: expected a whole number"),
        ("mlp.final.plain.seeds", [2**64], "mlp.final.plain.seeds.0: expected a number below"),
        ("mlp.final.plain.fold_models", 0.0, "mlp.final.plain.fold_models: expected 0 to 100"),
        ("gpt.seeds", [10**22], "gpt.seeds.0: expected a number below 4294967296"),
        (
            f"{STORIES}.sampling.ways",
            [{"temperature": 1e-310}],
            f"config: {STORIES}.sampling.ways.0.temperature: expected 0, or at least 0.001, found",
        ),
        (
            "mlp.dataset",
            "fashion_mnits",
            "config: mlp: no data set 'fashion_mnits' in config/datasets.yaml;"
            " did you mean 'fashion_mnist'?",
        ),
        (
            "vision.dataset",
            "tinystories",
            "config: vision: expected a data set for image_classification, found 'tinystories' for"
            " language_modelling; known: ",
        ),
        (
            "gpt.datasets",
            ["fairytales"],
            "config: gpt.settings: no settings for the chosen data set 'fairytales'",
        ),
        (
            "dna.settings.planted_motifs.model.n_heads",
            5,
            "config: dna.settings.planted_motifs.model.d_model: expected a multiple of n_heads 5",
        ),
        (
            "gpt.settings.tinystories.training.warmup_steps",
            1650,
            "gpt.settings.tinystories.training.warmup_steps: expected fewer than steps 1650",
        ),
        (
            f"{STORIES}.evaluation.stride",
            1000,
            f"config: {STORIES}.evaluation.stride: expected at most the context 144, found 1000",
        ),
    ],
)
def test_one_clear_line(path, value, line, config, datasets):
    lines = refused(merged(config, at(path, value)), datasets)
    assert len(lines) == 1
    assert line in lines[0]


@pytest.mark.parametrize("name", ["My net", "search"])
def test_a_recipe_has_a_name_that_a_folder_can_have(name, config, datasets):
    lines = refused(merged(config, at(f"mlp.recipes.{name}", {})), datasets)
    line = f"config: mlp.recipes.{name}: expected a name of small letters, digits"
    assert [found for found in lines if found.startswith(line)]


def test_a_chosen_data_set_needs_settings(config, datasets):
    del config["gpt"]["settings"]["tinystories"]
    line = "config: gpt.settings: no settings for the chosen data set 'tinystories'"
    assert refused(config, datasets) == [line]


def test_the_data_of_a_room_that_does_not_run_is_not_looked_up(config, datasets):
    config |= {"rooms": ["dna"]}
    config["mlp"]["dataset"] = "one of my own"
    check_config(config, datasets)
    config["mlp"]["datasett"] = 1
    assert refused(config, datasets) == [
        "config: mlp.datasett: unknown key; did you mean 'dataset'?"
    ]


def test_every_problem_is_named_at_once(config, datasets):
    change = {"mlp": {"cv": {"folds": 0}}, "vision": {"seeds": []}, "nonsense": 1}
    assert len(refused(merged(config, change), datasets)) == 3


def test_a_missing_section(config, datasets):
    del config["gpt"]
    assert refused(config, datasets) == ["config: gpt: missing"]


def test_broken_yaml_is_one_line(tmp_path):
    (tmp_path / "datasets.yaml").write_text("a: [1\nb: 2")
    with pytest.raises(ConfigurationError, match=r"datasets\.yaml:2:2: not YAML: ") as caught:
        load_table(tmp_path / "datasets.yaml", Table)
    assert len(str(caught.value).splitlines()) == 1


def test_a_table_with_a_data_set_twice_is_one_line(tmp_path):
    (tmp_path / "datasets.yaml").write_text("a: {}\nb: {}\na: {}\n")
    with pytest.raises(ConfigurationError, match=r"^\S+datasets\.yaml:3:1: the key 'a' stands"):
        load_table(tmp_path / "datasets.yaml", Table)


def test_published_results_name_a_source_and_say_why_they_do_not_compare(repository):
    path = repository / "config" / "references.yaml"
    load_table(path, References)
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    table["results"][0] |= {"source": "airbensh", "comparable": True}
    with pytest.raises(ConfigurationError) as caught:
        checked("x", table, References)
    assert str(caught.value) == (
        "x: results.0.source: no source 'airbensh'; did you mean 'airbench'?"
    )
    table["results"][0] |= {"comparable": False, "why": None}
    with pytest.raises(ConfigurationError, match="x: results.0.why: missing beside"):
        checked("x", table, References)


def test_the_standard_file_holds_every_key(config):
    """config.yaml is the manual: a preset may change a key, never add one."""
    checked("config", config, Configuration)
