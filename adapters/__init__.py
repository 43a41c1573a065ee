"""The backends that come with capture: one Python file each."""
