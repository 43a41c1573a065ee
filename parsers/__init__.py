"""The console formats that come with capture: one YAML file each."""
