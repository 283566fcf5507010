"""The record of the run, made last: manifest.json and its RO-Crate metadata.

They read what the run left and what Snakemake recorded about its jobs, so that nothing is trained
for them, and they are made again when anything that they describe was.
"""

from snakemake import __version__ as SNAKEMAKE_VERSION

RUN_FILES = [
    f"{RUN}/leaderboard.csv",
    f"{RUN}/report.html",
    *NOTEBOOKS,
    *(path for paths in REPORT.values() for path in paths),
    *DRAWN,
]


rule build_manifest:
    """Record what made each file of run {config[run]}: inputs, code, settings, machine."""
    input:
        files=RUN_FILES,
        datasets=TABLE,
    output:
        manifest=f"{RUN}/manifest.json",
    log:
        log_of("build_manifest"),
    benchmark:
        benchmark_of("build_manifest")
    # Where Snakemake's own records are, also when the other jobs run on a cluster.
    localrule: True
    conda:
        "../../envs/report.yaml"
    resources:
        **need(megabytes=500, minutes=10),
    params:
        options=options,
        # A mirror is a path of this machine, and no property of a result. The rooms are those that
        # are there: a run may be made room by room.
        spec=spec(
            "manifest.build_manifest",
            dict,
            run=SETTINGS.run,
            snakemake=SNAKEMAKE_VERSION,
            config={k: v for k, v in config.items() if k != "data_mirror"}
            | {"rooms": list(CHOSEN)},
        ),
    shell:
        "python -m manifest.build_manifest --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"


rule build_crate:
    """Describe run {config[run]} as a Workflow Run RO-Crate, as archives read it."""
    input:
        manifest=f"{RUN}/manifest.json",
        datasets=TABLE,
        workflow=os.path.relpath(REPOSITORY / "Snakefile"),
    output:
        crate=f"{RUN}/ro-crate-metadata.json",
        snakefile=f"{RUN}/Snakefile",
    log:
        log_of("build_crate"),
    benchmark:
        benchmark_of("build_crate")
    localrule: True
    conda:
        "../../envs/report.yaml"
    resources:
        **need(megabytes=500, minutes=10),
    params:
        options=options,
        spec=spec("manifest.build_crate", dict),
    shell:
        "python -m manifest.build_crate --spec {params.spec:q} {params.options:q} > {log:q} 2>&1"
