"""What the programs share; nothing here knows a model, a rule or a configuration file."""
