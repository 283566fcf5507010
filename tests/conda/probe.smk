# One rule in each environment: what does it see of Python? (tests/conda/test_isolation.py)
import json


rule all:
    input:
        expand("probe/{environment}.json", environment=config["modules"]),


for environment in config["modules"]:

    rule:
        name:
            f"probe_{environment}"
        output:
            f"probe/{environment}.json",
        conda:
            f"../../envs/{environment}.yaml"
        params:
            probe=workflow.source_path("probe.py"),
            modules=json.dumps(config["modules"][environment]),
            names=json.dumps(config["names"]),
        shell:
            "python {params.probe:q} {params.modules:q} {params.names:q} {output:q}"
