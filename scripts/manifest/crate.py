"""RO-Crate metadata of a run: a Workflow Run Crate, from its manifest and the table of data sets.

Profiles: Workflow Run RO-Crate 0.5 and Workflow RO-Crate 1.0 (https://w3id.org/ro/wfrun/workflow),
on RO-Crate 1.1. Left out: a step for each job (the manifest lists the jobs).
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

PROJECT = "Neural Networks and Transformers"
LICENCE = "https://spdx.org/licenses/MIT"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
FORMATS = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".npz": "application/zip",
    ".safetensors": "application/octet-stream",
}


def chosen(config: object) -> Iterator[str]:
    """Every data set that the configuration names under `dataset` or `datasets`."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            if key in ("dataset", "datasets"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from chosen(value)


def _file_properties(name: str, entry: Mapping) -> dict:
    """contentSize, sha256 and format of a file."""
    kind = FORMATS.get(PurePosixPath(name).suffix, "application/octet-stream")
    return {
        "name": name,
        "contentSize": str(entry["bytes"]),
        "sha256": entry["sha256"],
        "encodingFormat": kind,
    }


def _dataset(crate: ROCrate, name: str, about: Mapping) -> ContextEntity:
    """A data set with its licence, its citation and the files that are downloaded for it."""
    sources: dict[str, Mapping] = {}
    for file in about.get("files", []):
        source = about["archives"][file["archive"]] if "archive" in file else file
        sources[source["urls"][0]] = source
    files = [
        crate.add_file(url, properties=_file_properties(PurePosixPath(url).name, source))
        for url, source in sources.items()
    ]
    properties = {
        "@type": "Dataset",
        "name": about["title"],
        "description": about["description"],
        "license": about["licence"],
        "citation": about["citation"],
        "identifier": name,
    }
    if about.get("homepage"):
        properties["url"] = about["homepage"]
    place = f"#data-{quote(name, safe='')}"
    entity = crate.add(ContextEntity(crate, place, properties=properties))
    if files:
        entity["hasPart"] = files
    return entity


def _action(crate: ROCrate, manifest: Mapping, results: list[File], workflow: File) -> None:
    """The execution of the workflow: its data, its software, its results."""
    software = manifest["software"]
    tools = [
        crate.add(
            ContextEntity(
                crate,
                url,
                properties={
                    "@type": "SoftwareApplication",
                    "name": name,
                    "softwareVersion": software[name.lower()],
                    "url": url,
                },
            )
        )
        for name, url in (
            ("Python", "https://www.python.org"),
            ("Snakemake", "https://snakemake.github.io"),
        )
    ]
    workflow["softwareRequirements"] = tools
    code = manifest["code"]
    action = crate.add_action(
        workflow,
        identifier="#run",
        object=[entity for entity in crate.get_entities() if entity.id.startswith("#data-")],
        result=results,
        properties={
            "@type": "CreateAction",
            "name": f"Run {manifest['run']}",
            "description": f"Commit {code['commit']}{', dirty' * bool(code['dirty'])};"
            f" configuration {manifest['config']['sha256']}; {manifest['machine']['processor']},"
            f" {manifest['machine']['system']}",
            "endTime": manifest["finished"],
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    action["agent"] = crate.get("#project")
    crate.root_dataset["mentions"] = action


def build(manifest: Mapping, datasets: Mapping[str, Mapping], workflow: str) -> dict:
    """The content of ro-crate-metadata.json, the same for the same manifest and table.

    workflow: name of the Snakefile's copy in the same folder. The date is the end of the last job.
    Raises KeyError for a data set that the table lacks.
    """
    crate = ROCrate(version="1.1")
    crate.name = f"{PROJECT}: results of run {manifest['run']}"
    crate.description = (
        "Trained models, metrics, figures and a report, from raw public data by one Snakemake"
        " workflow; manifest.json names the code, settings and inputs of every file."
    )
    crate.datePublished = manifest["finished"]
    project = {"@type": "Organization", "name": f"{PROJECT}, the project"}
    crate.add(ContextEntity(crate, "#project", properties=project))
    crate.root_dataset["author"] = crate.root_dataset["publisher"] = crate.get("#project")
    licence = {"@type": "CreativeWork", "name": "MIT licence", "identifier": LICENCE}
    crate.license = crate.add(ContextEntity(crate, LICENCE, properties=licence))
    profiles = []
    for address, (name, version) in PROFILES.items():
        profile = {"@type": "CreativeWork", "name": name, "version": version}
        profiles.append(crate.add(ContextEntity(crate, address, properties=profile)))
    crate.root_dataset["conformsTo"] = profiles
    main = crate.add_workflow(
        dest_path=workflow,
        main=True,
        lang="snakemake",
        lang_version=manifest["software"]["snakemake"],
        properties={
            "name": PROJECT,
            "license": LICENCE,
            "version": manifest["code"]["commit"],
            "encodingFormat": "text/plain",
            "conformsTo": {
                "@id": "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
            },
        },
    )
    for name in dict.fromkeys(chosen(manifest["config"]["values"])):
        _dataset(crate, name, datasets[name])
    results = [
        crate.add_file(dest_path=entry["path"], properties=_file_properties(entry["path"], entry))
        for entry in manifest["outputs"]
    ]
    record = {"name": "manifest.json", "encodingFormat": "application/json"}
    crate.add_file(dest_path="manifest.json", properties=record)
    _action(crate, manifest, results, main)
    found = crate.metadata.generate()
    found["@graph"].sort(key=lambda entity: entity["@id"])
    return found
