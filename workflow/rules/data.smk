"""Raw files and what is made of them: fetch each data set, prepare the image ones."""

from raw import settings as raw

IMAGES = [name for name, entry in DATASETS.items() if entry.task == "image_classification"]


# One rule for each data set that has files, since their files differ. A raw file is named by its
# sha256, whatever code fetched it: so neither the code's hash nor the urls are in the spec, and
# neither a better downloader nor another url downloads anything again. update(): what is there
# stays, and the program keeps it if it is right. The terminal shows the progress, the log keeps it.
# Your own files are there already.
for name in DATASETS:
    sums = {file.path: file.sha256 for file in DATASETS[name].files}
    if DATASETS[name].kind == "downloaded":

        rule:
            """Fetch the raw files of a data set and verify every checksum: {params.spec}."""
            name:
                re.sub(r"\W", "_", f"fetch_{name}")
            output:
                update(raw_files(name)),
            log:
                log_of("fetch", name),
            benchmark:
                benchmark_of("fetch", name)
            localrule: True
            conda:
                "../../envs/data.yaml"
            resources:
                **need(megabytes=1000, minutes=180),
            params:
                table=TABLE,
                raw=lambda w: RAW,
                spec=json.dumps({"dataset": name, "sha256": sums}, sort_keys=True),
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
        log_of("prepare_images", "{dataset}"),
    benchmark:
        benchmark_of("prepare_images", "{dataset}")
    wildcard_constraints:
        dataset="|".join(name for name in IMAGES if raw_files(name)),
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=2000, minutes=10),
    params:
        options=options,
        raw=f"{RAW}/{{dataset}}",
        spec=lambda w: spec("raw.prepare_images", raw.PrepareSpec, **raw_of(w)),
    shell:
        "python -m raw.prepare_images --spec {params.spec:q} --raw {params.raw:q}"
        " {params.options:q} > {log:q} 2>&1"


rule generate_images:
    """Make the images of {wildcards.dataset}, which need no download: {params.spec}."""
    output:
        images=f"{PROCESSED}/{{dataset}}/images.npz",
        meta=f"{PROCESSED}/{{dataset}}/meta.json",
    log:
        log_of("generate_images", "{dataset}"),
    benchmark:
        benchmark_of("generate_images", "{dataset}")
    wildcard_constraints:
        dataset="|".join(name for name in IMAGES if not raw_files(name)),
    conda:
        "../../envs/data.yaml"
    resources:
        **need(megabytes=1000, minutes=10),
    params:
        options=options,
        spec=lambda w: spec(
            "raw.generate_images",
            raw.GenerateSpec,
            w,
            getattr(SETTINGS.data, w.dataset),
            about=DATASETS[w.dataset].about,
        ),
    shell:
        "python -m raw.generate_images --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
