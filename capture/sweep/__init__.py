"""Sweeps: many runs of an unchanged command, with W&B's own file and meaning.  Needs the extra `[sweep]`.

`schema` is the file, `short_form` its short form; `parameters` are the leaves of both and the points of a
grid, `distributions` what they are drawn from.  `commands` and `config_files` bring a trial's values to its
command. `hyperband` says which trials lose.  `storage` is where workers meet, `study` what they agree on
there: points and trials; `search` draws a trial's values (Optuna).  `trial` is a run in progress,
`observations` what it says of its metric, `worker` the loop around them, `machine` the processes here.
`summary`, `display` and `closing` are what the user sees; `session` is one call of the command.
"""
