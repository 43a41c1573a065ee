"""For who writes a parser: `samples` are run, `explain` says why a line is read, `learn` writes one."""
