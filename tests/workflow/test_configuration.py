"""Wrong configurations are refused before anything runs, in one clear line each."""

import copy

import pytest
import yaml
from configuration import ConfigurationError, check_config, load_table, problems


@pytest.fixture(scope="module")
def schemas(repository):
    return repository / "workflow" / "schemas"


@pytest.fixture(scope="module")
def datasets(repository, schemas):
    return load_table(repository / "config" / "datasets.yaml", schemas)


@pytest.fixture
def config(repository):
    return yaml.safe_load((repository / "config" / "config.yaml").read_text())


def merged(base, change):
    """What Snakemake makes of two configuration files: mappings merge, all else is replaced."""
    result = copy.deepcopy(base)
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def refused(config, schemas, datasets):
    with pytest.raises(ConfigurationError) as caught:
        check_config(config, schemas, datasets)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("preset", ["config", "demo", "smoke", "full", "ensemble"])
def test_every_preset_is_valid(preset, config, repository, schemas, datasets):
    change = yaml.safe_load((repository / "config" / f"{preset}.yaml").read_text())
    check_config(merged(config, change), schemas, datasets)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"mlp": {"cv": {"fold": 3}}}, "config: mlp.cv.fold: unknown key; did you mean 'folds'?"),
        ({"mlps": {}}, "config: mlps: unknown key; did you mean 'mlp'?"),
        ({"run": "a b"}, "config: run: expected letters, digits, _ and -, a"),
        ({"mlp": {"cv": {"folds": 1}}}, "config: mlp.cv.folds: expected at least 2, found 1"),
        (
            {"mlp": {"cv": {"folds": "x"}}},
            "config: mlp.cv.folds: expected a whole number, found 'x'",
        ),
        (
            {"mlp": {"recipes": {"common": {"dropout": 1.5}}}},
            "config: mlp.recipes.common.dropout: expected a number below 1, found 1.5",
        ),
        (
            {"mlp": {"recipes": {"common": {"flips": None}}}},
            "config: mlp.recipes.common.flips: expected true or false, found null",
        ),
        (
            {"mlp": {"recipes": {"My net": {}}}},
            "config: mlp.recipes.My net: expected as a key small letters, digits and _, a letter",
        ),
        (
            {"mlp": {"recipes": {"search": {}}}},
            "config: mlp.recipes.search: expected as a key none of cv, search, ensemble",
        ),
        ({"mlp": {"grid": {"lr": ["1e-3"]}}}, "write 1.0e-3, without quotes"),
        (
            {"mlp": {"dataset": "fashion_mnits"}},
            "config: mlp: no data set 'fashion_mnits' in config/datasets.yaml; "
            "did you mean 'fashion_mnist'?",
        ),
        (
            {"dna": {"settings": {"planted_motifs": {"model": {"n_heads": 5}}}}},
            "config: dna.settings.planted_motifs.model.n_heads: "
            "expected a divisor of d_model = 32, found 5",
        ),
        (
            {"gpt": {"settings": {"tinystories": {"training": {"warmup_steps": 2400}}}}},
            "config: gpt.settings.tinystories.training.warmup_steps: "
            "expected fewer than steps = 2400, found 2400",
        ),
        (
            {"mlp": {"folds_to_train": 6}},
            "config: mlp.folds_to_train: expected at most cv.folds = 5, found 6",
        ),
        (
            {"mlp": {"dataset": "tinystories"}},
            "config: mlp: the data set 'tinystories' is for language_modelling, "
            "expected one for image_classification",
        ),
        (
            {"gpt": {"datasets": ["fairytales"]}},
            "config: gpt.settings: no settings for the chosen data set 'fairytales'",
        ),
        (
            {"rooms": ["mlp", "gtp"]},
            "config: rooms.1: expected one of mlp, vision, gpt, dna, seq2seq, found 'gtp'",
        ),
        ({"rooms": []}, "config: rooms: expected at least 1 entry, found []"),
    ],
)
def test_one_clear_line(change, line, config, schemas, datasets):
    lines = refused(merged(config, change), schemas, datasets)
    assert len(lines) == 1
    assert line in lines[0]


def test_every_problem_is_named_at_once(config, schemas, datasets):
    lines = refused(merged(config, {"mlp": {"cv": {"folds": 0}}, "nonsense": 1}), schemas, datasets)
    assert len(lines) == 2


def test_a_missing_section(config, schemas, datasets):
    del config["gpt"]
    assert refused(config, schemas, datasets) == ["config: gpt: missing"]


def test_every_key_of_every_schema_is_described(schemas):
    def undescribed(node, where):
        for key, value in node.get("properties", {}).items():
            if "$ref" not in value and "description" not in value and "properties" not in value:
                yield f"{where}.{key}"
            yield from undescribed(value, f"{where}.{key}")

    for path in schemas.glob("*.schema.yaml"):
        assert list(undescribed(yaml.safe_load(path.read_text()), path.name)) == []


def test_broken_yaml_is_one_line(tmp_path, schemas):
    (tmp_path / "datasets.yaml").write_text("a: [1\nb: 2")
    with pytest.raises(ConfigurationError, match=r"datasets\.yaml:2:2: not YAML: ") as caught:
        load_table(tmp_path / "datasets.yaml", schemas)
    assert len(str(caught.value).splitlines()) == 1


def test_a_table_with_a_data_set_twice_is_one_line(tmp_path, schemas):
    (tmp_path / "datasets.yaml").write_text("a: {}\nb: {}\na: {}\n")
    with pytest.raises(ConfigurationError, match=r"^\S+datasets\.yaml:3:1: the key 'a' stands"):
        load_table(tmp_path / "datasets.yaml", schemas)


def test_the_standard_file_holds_every_key(config, schemas):
    """config.yaml is the manual: a preset may change a key, never add one."""
    assert problems(config, schemas, "config") == []
