"""What a notebook shows of its run. It is in results/<run>/notebooks, where Jupyter starts it."""

from base64 import b64encode
from pathlib import Path

from IPython.display import HTML, Markdown, display


def figures(kind: str, room: str) -> None:
    """Show the figures of one kind (attention, positions, ...) that a room has in this run.

    Each is embedded as an image: Jupyter shows it in a notebook that it does not trust, too.
    """
    found = sorted(Path("../figures", kind).glob(f"{room}-*.svg"))
    for path in found:
        data = b64encode(path.read_bytes()).decode()
        image = f'<img alt="{kind}: {path.stem}" src="data:image/svg+xml;base64,{data}">'
        display(HTML(image))
    if not found:
        display(Markdown(f"*This run has no figures of this kind: {room}, {kind}.*"))
