"""Raw files and what is made of them: fetch each data set, prepare the image ones, features."""

from dataset_about import about, fetch_rule

TABLE = os.path.relpath(REPOSITORY / "config" / "datasets.yaml")
IMAGES = {
    kind: [
        name
        for name, entry in DATASETS.items()
        if entry["task"] == "image_classification"
        and (kind == "real") == ("files" in entry)
    ]
    for kind in ("real", "stand-in")
}


# One rule for each data set that has files, since their files differ. A raw file is named by its
# sha256, whatever code fetched it: so neither the code's hash nor the urls are in the spec, and
# neither a better downloader nor another url downloads anything again. update(): what is there
# stays, and the program keeps it if it is right. The terminal shows the progress, the log keeps it.
for name in DATASETS:
    if raw_files(name):

        rule:
            """Fetch the raw files of a data set and verify every checksum: {params.spec}."""
            name:
                fetch_rule(name)
            output:
                update(raw_files(name)),
            log:
                f"{RUN}/logs/fetch/{name}.log",
            benchmark:
                f"{RUN}/benchmarks/fetch/{name}.tsv"
            localrule: True
            conda:
                "../../envs/data.yaml"
            threads: 1
            resources:
                mem_mb=memory(1000),
                runtime=180,
            params:
                table=TABLE,
                raw=lambda wildcards: RAW,
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
                "python -m raw.fetch_dataset --spec {params.spec:q}"
                " --datasets {params.table:q} --out {params.raw:q} 2>&1 | tee {log:q} >&2"


rule prepare_images:
    """Make the arrays of {wildcards.dataset} out of its raw files: {params.spec}."""
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
        dataset="|".join(IMAGES["real"]),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=10,
    params:
        raw=lambda w: f"{RAW}/{w.dataset}",
        spec=lambda w: spec(
            "raw.prepare_images",
            dataset=w.dataset,
            raw=raw_sums(w.dataset),
            about=about(DATASETS[w.dataset]),
        ),
    shell:
        "python -m raw.prepare_images --spec {params.spec:q} --raw {params.raw:q}"
        " --images {output.images:q} --meta {output.meta:q} > {log:q} 2>&1"


rule generate_images:
    """Make the images of {wildcards.dataset}, which need no download: {params.spec}."""
    output:
        images=f"{PROCESSED}/{{dataset}}/images.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    log:
        f"{RUN}/logs/generate_images/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/generate_images/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(IMAGES["stand-in"]),
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=10,
    params:
        spec=lambda w: spec(
            "raw.generate_images",
            dataset=w.dataset,
            about=about(DATASETS[w.dataset]),
            **config["data"][w.dataset],
        ),
    shell:
        "python -m raw.generate_images --spec {params.spec:q}"
        " --images {output.images:q} --meta {output.meta:q} > {log:q} 2>&1"


rule extract_hog:
    """
    Compute hand-made features of the images of {wildcards.dataset}, in shifted views too.

    Settings: {params.spec}
    """
    input:
        images=f"{PROCESSED}/{{dataset}}/images.npz",
    output:
        train=f"{PROCESSED}/{{dataset}}/hog/train.npy",
        test=f"{PROCESSED}/{{dataset}}/hog/test.npy",
        meta=f"{PROCESSED}/{{dataset}}/hog/meta.json",
    log:
        f"{RUN}/logs/extract_hog/{{dataset}}.log",
    benchmark:
        f"{RUN}/benchmarks/extract_hog/{{dataset}}.tsv"
    wildcard_constraints:
        dataset="|".join(IMAGES["real"] + IMAGES["stand-in"]),
    priority: 20
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        spec=lambda w: spec(
            "mlp.extract_hog",
            dataset=w.dataset,
            **config["mlp"]["hog"],
        ),
    shell:
        "python -m mlp.extract_hog --spec {params.spec:q} --images {input.images:q}"
        " --train {output.train:q} --test {output.test:q} --meta {output.meta:q} > {log:q} 2>&1"
