"""What the GPTs hand to the report."""

from gpt import settings as gpt

GPT = SETTINGS.gpt
TEXTS = GPT.settings  # of each data set
GPT_RUN = f"{RUN}/gpt/{{dataset}}"

for name in GPT.datasets:
    # The GPT first: the report's room has its name.
    REPORT["metrics"] += [f"{RUN}/gpt/{name}/{file}.json" for file in ("metrics", "baselines")]
    REPORT["histories"] += [f"{RUN}/gpt/{name}/seed{seed}/history.json" for seed in GPT.seeds]
    REPORT["samples"].append(f"{RUN}/gpt/{name}/samples.json")
    REPORT["attention"].append(f"{RUN}/gpt/{name}/attention.npz")
# One table of positions is enough: the first data set's.
REPORT["positions"].append(f"{RUN}/gpt/{GPT.datasets[0]}/positions.npz")
