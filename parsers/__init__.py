"""The parsers that come with capture: one YAML file each."""
