"""Write ro-crate-metadata.json: the run as a Workflow Run RO-Crate, for archives such as Zenodo.

The crate holds the workflow that it describes: the Snakefile is copied into the run's folder.
Profiles: Workflow Run RO-Crate 0.5 and Workflow RO-Crate 1.0 (https://w3id.org/ro/wfrun/workflow),
on RO-Crate 1.1. Left out: a step for each job (the manifest lists the jobs).
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from pipeline import settings
from pipeline.atomic import write_json, write_text
from pipeline.read_json import read_json
from pipeline.read_yaml import read_yaml
from raw.table import Table

PROJECT = "Neural Networks and Transformers"
DESCRIPTION = (
    "Trained models, metrics, figures and a report, from raw public data by one Snakemake"
    " workflow; manifest.json names the code, settings and inputs of every file."
)
LICENCE = "https://spdx.org/licenses/MIT"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
TOOLS = {"Python": "https://www.python.org", "Snakemake": "https://snakemake.github.io"}
FORMATS = {
    ".json": "application/json", ".csv": "text/csv", ".svg": "image/svg+xml",
    ".html": "text/html", ".npz": "application/zip",
}  # fmt: skip


def chosen(config: object) -> Iterator[str]:
    """Every data set that the configuration names under `dataset` or `datasets`."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            if key in ("dataset", "datasets"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from chosen(value)


def add(crate: ROCrate, place: str, kind: str, **properties: object) -> ContextEntity:
    """A new entity of the crate; `place`: its @id, `kind`: its @type."""
    return crate.add(ContextEntity(crate, place, properties={"@type": kind, **properties}))


def about_file(name: str, entry: Mapping) -> dict[str, str]:
    """Name, contentSize, sha256 and format of a file."""
    kind = FORMATS.get(PurePosixPath(name).suffix, "application/octet-stream")
    size = str(entry["bytes"])
    return {"name": name, "contentSize": size, "sha256": entry["sha256"], "encodingFormat": kind}


def add_dataset(crate: ROCrate, name: str, about: Mapping) -> ContextEntity:
    """A data set with its licence, its citation and the files that are downloaded for it."""
    properties = {"name": about["title"], "description": about["description"]}
    properties |= {"license": about["licence"], "citation": about["citation"], "identifier": name}
    if about.get("homepage"):
        properties["url"] = about["homepage"]
    sources: dict[str, Mapping] = {}
    # Your own files have no address.
    for file in about.get("files", []) if about.get("kind") != "own" else ():
        source = about["archives"][file["archive"]] if "archive" in file else file
        sources[source["urls"][0]] = source
    if sources:
        properties["hasPart"] = [
            crate.add_file(url, properties=about_file(PurePosixPath(url).name, source))
            for url, source in sources.items()
        ]
    return add(crate, f"#data-{quote(name, safe='')}", "Dataset", **properties)


def build(manifest: Mapping, datasets: Mapping[str, Mapping], snakefile: str) -> dict[str, Any]:
    """The content of ro-crate-metadata.json, the same for the same manifest and table.

    snakefile: name of the Snakefile's copy in the same folder. The date is the end of the last job.
    Raises KeyError for a data set that the table lacks.
    """
    code, software, run = manifest["code"], manifest["software"], manifest["run"]
    config, machine, finished = manifest["config"], manifest["machine"], manifest["finished"]
    crate = ROCrate(version="1.1")
    crate.name = f"{PROJECT}: results of run {run}"
    crate.description = DESCRIPTION
    crate.datePublished = finished
    project = add(crate, "#project", "Organization", name=f"{PROJECT}, the project")
    crate.root_dataset["author"] = crate.root_dataset["publisher"] = project
    crate.license = add(crate, LICENCE, "CreativeWork", name="MIT licence", identifier=LICENCE)
    crate.root_dataset["conformsTo"] = [
        add(crate, place, "CreativeWork", name=name, version=version)
        for place, (name, version) in PROFILES.items()
    ]
    about = {"name": PROJECT, "license": LICENCE, "version": code["commit"]}
    about |= {"encodingFormat": "text/plain", "conformsTo": {"@id": WORKFLOW_PROFILE}}
    language = {"lang": "snakemake", "lang_version": software["snakemake"]}
    workflow = crate.add_workflow(dest_path=snakefile, main=True, **language, properties=about)
    versions = {tool: software[tool.lower()] for tool in TOOLS}
    workflow["softwareRequirements"] = [
        add(crate, url, "SoftwareApplication", name=tool, softwareVersion=versions[tool], url=url)
        for tool, url in TOOLS.items()
    ]
    names = dict.fromkeys(chosen(config["values"]))
    data = [add_dataset(crate, name, datasets[name]) for name in names]
    results = [
        crate.add_file(dest_path=entry["path"], properties=about_file(entry["path"], entry))
        for entry in manifest["outputs"]
    ]
    record = {"name": "manifest.json", "encodingFormat": "application/json"}
    crate.add_file(dest_path="manifest.json", properties=record)
    dirty = ", dirty" if code["dirty"] else ""
    told = f"Commit {code['commit']}{dirty}; configuration {config['sha256']};"
    told += f" {machine['processor']}, {machine['system']}"
    about = {"@type": "CreateAction", "name": f"Run {run}", "description": told}
    about |= {"endTime": finished, "actionStatus": "http://schema.org/CompletedActionStatus"}
    action = crate.add_action(workflow, "#run", object=data, result=results, properties=about)
    action["agent"] = project
    crate.root_dataset["mentions"] = action
    found = crate.metadata.generate()
    found["@graph"].sort(key=lambda entity: entity["@id"])
    return found


INPUTS = {"manifest": "manifest.json", "datasets": "datasets.yaml", "workflow": "the Snakefile"}
OUTPUTS = {"crate": "ro-crate-metadata.json", "snakefile": "the Snakefile's copy, beside it"}


def main() -> None:
    args = settings.arguments(__doc__, settings.Settings, INPUTS, OUTPUTS)
    manifest = read_json(
        args.manifest, ["code", "software", "run", "config", "machine", "finished"]
    )
    datasets = read_yaml(args.datasets, Table)
    datasets |= manifest["config"]["values"].get("own", {})
    crate = build(manifest, datasets, args.snakefile.name)
    write_text(args.snakefile, args.workflow.read_text(encoding="utf-8"))
    write_json(args.crate, crate)
    print(f"{len(crate['@graph'])} entities -> {args.crate}")


if __name__ == "__main__":
    settings.run(main)
