"""What parsers are written in.  Needs no run and no process.

`model` is a parser as its YAML file describes it, `library` loads the files, `checked_yaml` says what is
wrong in one.  `installed` finds those of installed packages, `run_parsers` are those of a run, `known` is
what is remembered of them.  `matchers` compiles a pattern: to an expression (`patterns`), a table or a block
(`tables`, `blocks`), or the Python beside it (`readers`).  What they have in common: `numbers`, `kinds`,
`literals`, `key_values`, `expressions`.  For speed: `required_text` (the prefilter) and `shape_cache`.
"""
