"""The configuration, checked before anything runs: one clear line for each thing that is wrong."""

import difflib
import reprlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import mlp_checks
import yaml
from check_yaml import read
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource
from schema_words import expected as words
from schema_words import plain

# What each room of the configuration can be given: the `task` of a data set.
ROOMS = {
    "mlp": "image_classification",
    "vision": "image_classification",
    "gpt": "language_modelling",
    "dna": "dna_classification",
    "seq2seq": "translation",
}


class ConfigurationError(ValueError):
    """A configuration that cannot be run; the message has one line for each problem."""


@cache
def _schemas(folder: Path) -> Registry:
    """All schemas, by the names of their files. They are ours: libyaml, ten times as fast, may read
    them (what users write may nest so deep that it crashes)."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Registry().with_resources(
        (path.name, Resource.from_contents(yaml.load(path.read_text(encoding="utf-8"), loader)))
        for path in sorted(folder.glob("*.schema.yaml"))
    )


@cache
def _validator(schemas: Path, name: str) -> Draft202012Validator:
    registry = _schemas(schemas)
    return Draft202012Validator(registry.contents(f"{name}.schema.yaml"), registry=registry)


def _dotted(parts: object) -> str:
    return ".".join(map(str, parts))


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return plain(value)
    short = reprlib.Repr()
    short.maxstring = short.maxother = 200
    return short.repr(value)


def _key_lines(error: ValidationError, where: list) -> Iterator[str] | None:
    """The lines for keys that are unknown or missing; None if `error` is about a value."""
    value, rule = error.instance, error.validator_value
    if error.validator == "additionalProperties" and isinstance(value, dict):
        known = list(error.schema.get("properties", {}))
        unknown = sorted(set(value) - set(known), key=str)
        return (f"{_dotted([*where, key])}: unknown key; {_hint(key, known)}" for key in unknown)
    if error.validator == "required":
        missing = sorted(set(rule) - set(value))
        return (f"{_dotted([*where, key])}: missing" for key in missing)
    if error.validator == "dependentRequired":
        return (
            f"{_dotted([*where, other])}: missing beside {key}"
            for key, others in rule.items()
            for other in others
            if key in value and other not in value
        )
    return None


def _hint(key: object, known: list[str]) -> str:
    """The nearest known key, or all of them."""
    if near := difflib.get_close_matches(str(key), known, n=1):
        return f"did you mean {near[0]!r}?"
    return f"known keys: {', '.join(known)}" if known else "expected no further keys"


def _value_line(error: ValidationError, where: list) -> str:
    """What `error` expected of a value, or of the name of a key, and what it found."""
    expected = words(error.validator, error.validator_value)
    if "propertyNames" in error.absolute_schema_path:
        return f"{_dotted([*where, error.instance])}: expected as a key {expected}"
    hint = ""
    if error.validator == "type" and isinstance(error.instance, str):
        try:
            float(error.instance)
            hint = " (YAML reads 1e-3 as text: write 1.0e-3, without quotes)"
        except ValueError:
            pass
    place = f"{_dotted(where)}: " if where else ""
    return f"{place}expected {expected}, found {_shown(error.instance)}{hint}"


def _lines(error: ValidationError) -> Iterator[str]:
    """Say in one line each what `error` found, what it expected, and the nearest known key."""
    where = list(error.absolute_path)
    keys = _key_lines(error, where)
    yield from [_value_line(error, where)] if keys is None else keys


def problems(value: object, schemas: Path, name: str) -> list[str]:
    """Every line that schema `name` has to say against `value`, in the order of the keys."""
    found = sorted(_validator(schemas, name).iter_errors(value), key=lambda e: str(e.json_path))
    return list(dict.fromkeys(line for error in found for line in _lines(error)))


def _raise(title: str, lines: list[str]) -> None:
    if lines:
        raise ConfigurationError("\n".join(f"{title}: {line}" for line in lines))


def load_table(path: Path, schemas: Path) -> dict:
    """Read and check one of the YAML tables beside the configuration (data sets, references).

    Raises ConfigurationError if the file is not YAML, has a key twice or does not fit
    `<stem>.schema.yaml`.
    """
    value, line = read(path)
    if line:
        raise ConfigurationError(line)
    _raise(f"config/{path.name}", problems(value, schemas, path.stem))
    return value


def chosen_datasets(config: Mapping) -> dict[str, list[str]]:
    """The data sets of each room that the configuration runs, in the order of ROOMS."""
    chosen = {}
    for room in ROOMS:
        if room not in config["rooms"]:
            continue
        section = config[room]
        chosen[room] = section["datasets"] if "datasets" in section else [section["dataset"]]
    return chosen


def _model_lines(value: object, where: tuple[str, ...] = ()) -> Iterator[str]:
    """What does not fit together inside a Transformer's settings, wherever they stand."""
    if not isinstance(value, dict):
        return
    if {"d_model", "n_heads"} <= set(value) and value["d_model"] % value["n_heads"]:
        yield (
            f"{_dotted(where)}.n_heads: expected a divisor of d_model = {value['d_model']}, "
            f"found {value['n_heads']}"
        )
    if {"warmup_steps", "steps"} <= set(value) and value["warmup_steps"] >= value["steps"]:
        yield (
            f"{_dotted(where)}.warmup_steps: expected fewer than steps = {value['steps']}, "
            f"found {value['warmup_steps']}"
        )
    for key, inner in value.items():
        yield from _model_lines(inner, (*where, key))


def check_config(config: dict, schemas: Path, datasets: Mapping[str, dict]) -> None:
    """Check the merged configuration against its schemas and the table of data sets.

    Raises ConfigurationError: an unknown or missing key, a wrong type or range, a data set that
    does not exist, one of another task, one that is chosen but has no settings; settings that do
    not fit together.
    """
    _raise("config", problems(config, schemas, "config"))
    lines = []
    for room, names in chosen_datasets(config).items():
        for name in names:
            if name not in datasets:
                near = difflib.get_close_matches(name, datasets, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(datasets)}"
                lines.append(f"{room}: no data set {name!r} in config/datasets.yaml; {hint}")
            elif datasets[name]["task"] != ROOMS[room]:
                lines.append(
                    f"{room}: the data set {name!r} is for {datasets[name]['task']}, "
                    f"expected one for {ROOMS[room]}"
                )
            elif "settings" in config[room] and name not in config[room]["settings"]:
                lines.append(f"{room}.settings: no settings for the chosen data set {name!r}")
    lines += _model_lines(config)
    if "mlp" in config["rooms"]:
        lines += mlp_checks.lines(config["mlp"])
    _raise("config", lines)
