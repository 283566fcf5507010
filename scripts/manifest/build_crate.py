"""Write ro-crate-metadata.json: the run as a Workflow Run RO-Crate, for archives such as Zenodo.

The crate holds the workflow that it describes: the Snakefile is copied into the run's folder.
"""

import json

import yaml

from manifest.crate import build
from pipeline import settings
from pipeline.atomic import write_json, write_text


def main() -> None:
    args = settings.arguments(
        __doc__,
        settings.Settings,
        inputs={
            "manifest": "manifest.json of the run",
            "datasets": "the table of data sets, datasets.yaml",
            "workflow": "the Snakefile",
        },
        outputs={
            "crate": "ro-crate-metadata.json, in the manifest's folder",
            "snakefile": "the copy of the Snakefile, in the same folder",
        },
    )
    manifest = json.loads(args.manifest.read_text(encoding="utf-8"))
    datasets = yaml.safe_load(args.datasets.read_text(encoding="utf-8"))
    crate = build(manifest, datasets, args.snakefile.name)
    write_text(args.snakefile, args.workflow.read_text(encoding="utf-8"))
    write_json(args.crate, crate)
    print(f"{len(crate['@graph'])} entities -> {args.crate}")


if __name__ == "__main__":
    settings.run(main)
