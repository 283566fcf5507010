"""What the encoder-decoder hands to the report."""

from seq2seq import settings as seq2seq

SEQ2SEQ = SETTINGS.seq2seq
SEQ2SEQ_RUN = f"{RUN}/seq2seq"

# predictions.csv holds translations, not classes: it is not for the confusion matrices.
REPORT["metrics"].append(f"{SEQ2SEQ_RUN}/metrics.json")
REPORT["histories"] += per_seed(f"{SEQ2SEQ_RUN}/seed{{seed}}/history.json", SEQ2SEQ.seeds)
REPORT["models"].append(f"{SEQ2SEQ_RUN}/seed{SEQ2SEQ.seeds[0]}/model.safetensors")
REPORT["attention"].append(f"{SEQ2SEQ_RUN}/attention.npz")
REPORT["positions"].append(f"{SEQ2SEQ_RUN}/positions.npz")
