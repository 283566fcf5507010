"""What the GPTs hand to the report."""

from gpt import settings as gpt

GPT = SETTINGS.gpt
TEXTS = GPT.settings  # of each data set
GPT_RUN = f"{RUN}/gpt/{{dataset}}"

for name in GPT.datasets:
    # The GPT first: the report's room has its name.
    REPORT["metrics"] += [f"{RUN}/gpt/{name}/{file}.json" for file in ("metrics", "baselines")]
    REPORT["histories"] += [f"{RUN}/gpt/{name}/seed{seed}/history.json" for seed in GPT.seeds]
    REPORT["models"].append(f"{RUN}/gpt/{name}/seed{GPT.seeds[0]}/model.safetensors")
    REPORT["samples"].append(f"{RUN}/gpt/{name}/samples.json")
    REPORT["attention"].append(f"{RUN}/gpt/{name}/attention.npz")
# One table of positions is enough: the first data set's.
REPORT["positions"].append(f"{RUN}/gpt/{GPT.datasets[0]}/positions.npz")

# The GPT by hand, if its text is one of them.
BY_HAND = GPT.numpy if GPT.numpy and GPT.numpy.dataset in GPT.datasets else None
if BY_HAND:
    BY_HAND_RUN = f"{RUN}/gpt/{BY_HAND.dataset}/numpy"
    REPORT["metrics"] += [f"{BY_HAND_RUN}/{file}metrics.json" for file in ("", "twin/")]
    REPORT["histories"].append(f"{BY_HAND_RUN}/history.json")
    REPORT["samples"].append(f"{BY_HAND_RUN}/samples.json")
    REPORT["twins"].append(f"{BY_HAND_RUN}/twins.json")
