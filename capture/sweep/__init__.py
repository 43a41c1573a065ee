"""Sweeps: many runs of an unchanged command, with W&B's own file and meaning.  Needs the extra `[sweep]`.

`schema` is the file, `short_form` its short form; `parameters` the leaves of both, `distributions` what they are
drawn from, `grid` their product.  `commands` and `config_files` bring a trial's values to its command.
`hyperband` says which trials lose.  `storage` is where workers meet, `study` what they agree on there: points and
trials; `search` draws a trial's values (Optuna).  `trial` is a run in progress, `observations` what it says of its
metric, `worker` the loop around them.  `summary`, `display` and `closing` are what the user sees.
"""
