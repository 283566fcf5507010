"""Write ro-crate-metadata.json: the run as a Workflow Run RO-Crate, for archives such as Zenodo.

The Snakefile is copied beside it, since a crate holds the workflow that it is about.
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
            "out": "ro-crate-metadata.json, beside the manifest",
            "copy": "the Snakefile's copy beside it",
        },
    )
    manifest = json.loads(args.manifest.read_text(encoding="utf-8"))
    datasets = yaml.safe_load(args.datasets.read_text(encoding="utf-8"))
    crate = build(manifest, datasets, args.copy.name)
    write_text(args.copy, args.workflow.read_text(encoding="utf-8"))
    write_json(args.out, crate)
    print(f"{len(crate['@graph'])} entities -> {args.out}")


if __name__ == "__main__":
    settings.run(main)
