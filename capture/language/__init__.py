"""What parsers are written in.  Needs no run and no process.

`model` is a parser as its YAML file describes it, `library` finds the files, `checked_yaml` says what is
wrong in one.  A pattern is compiled to a matcher: `patterns` (a line or an expression), `tables`, `blocks`,
`readers` (Python beside the YAML).  What they have in common: `numbers`, `kinds`, `literals`, `key_values`,
`expressions`. For speed: `required_text` (the prefilter) and `shape_cache`.
"""
