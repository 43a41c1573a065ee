"""What a run knows by itself.

`hyperparameters` reads the command line and the files that it names, `config_sources` keeps where each
value is from.  `provenance` asks for code, packages and machine, `gather` does so beside the command.
`system` and `gpu` sample the load, `observer` does so every few seconds.
"""
