"""PyPI's name -> conda-forge's, where they differ."""

CONDA_NAME = {"torch": "pytorch"}
PYPI_NAME = {conda: pypi for pypi, conda in CONDA_NAME.items()}
