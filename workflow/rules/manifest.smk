"""The record of the run, made last: manifest.json and its RO-Crate metadata.

They read what the run left and what Snakemake recorded about its jobs, so that nothing is trained
for them, and they are made anew when anything that they describe was.
"""

from snakemake import __version__ as SNAKEMAKE_VERSION

RUN_FILES = [
    f"{RUN}/leaderboard.csv",
    f"{RUN}/report.html",
    *(path for paths in REPORT.values() for path in paths),
    *(path for path, _ in DRAWN),
]


rule build_manifest:
    """Record what made each file of run {config[run]}: inputs, code, settings, machine."""
    input:
        files=RUN_FILES,
        datasets=TABLE,
    output:
        f"{RUN}/manifest.json",
    log:
        f"{RUN}/logs/build_manifest.log",
    benchmark:
        f"{RUN}/benchmarks/build_manifest.tsv"
    # Where Snakemake's own records are, also when the other jobs run on a cluster.
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=10,
    params:
        # A mirror is a path of this machine, and no property of a result.
        spec=spec(
            "manifest.build_manifest",
            run=config["run"],
            snakemake=SNAKEMAKE_VERSION,
            config={
                key: value for key, value in config.items() if key != "data_mirror"
            },
        ),
    shell:
        "python -m manifest.build_manifest --spec {params.spec:q} --files {input.files:q}"
        " --datasets {input.datasets:q} --out {output:q} > {log:q} 2>&1"


rule build_crate:
    """Describe run {config[run]} as a Workflow Run RO-Crate, as archives read it."""
    input:
        manifest=f"{RUN}/manifest.json",
        datasets=TABLE,
        workflow=os.path.relpath(REPOSITORY / "Snakefile"),
    output:
        crate=f"{RUN}/ro-crate-metadata.json",
        workflow=f"{RUN}/Snakefile",
    log:
        f"{RUN}/logs/build_crate.log",
    benchmark:
        f"{RUN}/benchmarks/build_crate.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=10,
    params:
        spec=spec("manifest.build_crate"),
    shell:
        "python -m manifest.build_crate --spec {params.spec:q} --manifest {input.manifest:q}"
        " --datasets {input.datasets:q} --workflow {input.workflow:q}"
        " --out {output.crate:q} --copy {output.workflow:q} > {log:q} 2>&1"
