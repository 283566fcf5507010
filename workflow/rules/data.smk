"""Raw files and what is made of them: fetch each data set, prepare the image ones."""

from dataset_about import about

TABLE = os.path.relpath(REPOSITORY / "config" / "datasets.yaml")
IMAGE_DATASETS = [
    name for name, entry in DATASETS.items() if entry["task"] == "image_classification"
]


# One rule for each data set that has files, since their files differ. A raw file is named by its
# sha256, whatever code fetched it: so neither the code's hash nor the urls are in the spec, and
# neither a better downloader nor another url downloads anything again.
for name in DATASETS:
    if raw_files(name):

        rule:
            """Fetch the raw files of a data set and verify every checksum: {params.spec}."""
            name:
                f"fetch_{name.replace('/', '_')}"
            output:
                raw_files(name),
            log:
                f"{RUN}/logs/fetch/{name}.log",
            benchmark:
                f"{RUN}/benchmarks/fetch/{name}.tsv"
            localrule: True
            conda:
                "../../envs/data.yaml"
            threads: 1
            resources:
                mem_mb=1000,
                runtime=180,
            params:
                script=script("fetch_dataset.py"),
                table=TABLE,
                raw=RAW,
                spec=json.dumps(
                    {
                        "dataset": name,
                        "sha256": {
                            f["path"]: f["sha256"] for f in DATASETS[name]["files"]
                        },
                    },
                    sort_keys=True,
                ),
            shell:
                "python {params.script} --spec {params.spec:q}"
                " --datasets {params.table:q} --out {params.raw} > {log} 2>&1"


rule prepare_images:
    """Make the arrays of {wildcards.dataset} out of its raw files, or draw them: {params.spec}."""
    input:
        lambda w: raw_files(w.dataset),
    output:
        images=f"{PROCESSED}/{{dataset}}/images.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    log:
        f"{RUN}/logs/prepare_images/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/prepare_images/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(IMAGE_DATASETS),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        script=script("prepare_images.py"),
        raw=lambda w: f"--raw {RAW}/{w.dataset}" if raw_files(w.dataset) else "",
        spec=lambda w: spec(
            "prepare_images.py",
            dataset=w.dataset,
            about=about(DATASETS[w.dataset]),
            **config["data"].get(w.dataset, {}),
        ),
    shell:
        "python {params.script} --spec {params.spec:q} {params.raw}"
        " --images {output.images} --meta {output.meta} > {log} 2>&1"
