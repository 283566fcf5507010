"""config/datasets.yaml is complete and consistent, or else refused."""

import json
from pathlib import Path

import pytest
import yaml
from configuration import ConfigurationError, load_table
from forks import python

from raw.table import Table

REPOSITORY = Path(__file__).parents[2]
TABLE = REPOSITORY / "config" / "datasets.yaml"
DATASETS = load_table(TABLE, Table)


def test_every_raw_file_is_listed_once_under_its_data_set():
    paths = [file.path for entry in DATASETS.values() for file in entry.files]
    assert len(paths) == len(set(paths))
    for name, entry in DATASETS.items():
        assert all(file.path.startswith(f"{name}/") for file in entry.files)


def test_archives_and_stand_ins_refer_to_what_there_is():
    for entry in DATASETS.values():
        assert {file.archive for file in entry.files if file.archive} == set(entry.archives)
        assert all(DATASETS[other].files for other in entry.stands_in_for)
        assert all(DATASETS[other].task == entry.task for other in entry.stands_in_for)
        assert entry.about.stand_in == bool(entry.stands_in_for)


def test_names_of_fetch_rules_differ():
    assert len({name.replace("/", "_") for name in DATASETS}) == len(DATASETS)


def changed(change) -> dict:
    table = {"toy": yaml.safe_load(TABLE.read_text(encoding="utf-8"))["tinyshakespeare"]}
    change(table["toy"])
    return table


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda e: e.update(licens="x"), "did you mean 'licence'"),
        (lambda e: e.pop("citation"), "toy.citation: missing"),
        (lambda e: e["files"][0].update(sha256="abc"), "toy.files.0.sha256"),
        (lambda e: e["files"][0].update(bytes=0), "toy.files.0.bytes"),
        (lambda e: e["files"][0].update(path="../etc/x"), "toy.files.0.path"),
        (lambda e: e["files"][0].update(path="/etc/x"), "toy.files.0.path"),
        (lambda e: e["files"][0].update(path="toy/$(x)"), "toy.files.0.path"),
        (lambda e: e["files"][0].update(urls=["ftp://x/y"]), "toy.files.0.urls.0"),
        (lambda e: e["files"][0].update(urls=[]), "toy.files.0.urls"),
        (lambda e: e.pop("files"), "toy.files: expected files of a data set that is downloaded"),
        (lambda e: e.update(kind="magic"), "toy.kind: expected 'downloaded', 'bundled', 'gen"),
        (lambda e: e.update(kind="bundled"), "toy.files: expected no files of a data set that is"),
        (lambda e: e["files"][0].pop("urls"), "toy.files.0.urls: expected either urls or archive"),
        (lambda e: e.update(kind="own"), "toy.files.0.urls: expected no urls"),
        (lambda e: e["files"][0].update(member="x"), "toy.files.0.archive: missing beside member"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path, change, says):
    (tmp_path / "datasets.yaml").write_text(yaml.safe_dump(changed(change)))
    with pytest.raises(ConfigurationError) as caught:
        load_table(tmp_path / "datasets.yaml", Table)
    assert says in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"dataset": "nowhere"}, "no data set 'nowhere'"),
        ({"dataset": "shapes"}, "shapes has no files: it is generated"),
        ({"dataset": "statlog_dna", "sha256": {"a": "b"}}, "checksums of statlog_dna are not"),
    ],
)
def test_the_fetch_program_refuses_in_one_line(tmp_path, spec, says):
    command = ["-m", "raw.fetch_dataset"]
    command += ["--spec", json.dumps(spec), "--datasets", str(TABLE), "--out", str(tmp_path)]
    done = python(*command)
    assert done.returncode == 1
    assert says in done.stderr and done.stderr.count("\n") == 1
