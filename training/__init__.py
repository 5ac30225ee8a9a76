"""How the shipped classifiers are made and measured: `python -m training [type…] --data DIR`."""
