"""What the nets of CIFAR-10 hand to the report."""

from vision import settings as vision

VISION = SETTINGS.vision
VISION_RUN = f"{RUN}/vision/{{model}}"

for model in VISION.models:
    REPORT["metrics"].append(f"{RUN}/vision/{model}/metrics.json")
    REPORT["histories"] += per_seed(f"{RUN}/vision/{model}/seed{{seed}}/history.json", VISION.seeds)
    REPORT["predictions"].append(f"{RUN}/vision/{model}/predictions.csv")
    REPORT["images"].append(f"{RUN}/vision/{model}/examples.npz")
    REPORT["studies"].append(f"{RUN}/vision/{model}/study.npz")
