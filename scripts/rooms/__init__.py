"""What the programs of one room share: its models, its settings, its scores."""
