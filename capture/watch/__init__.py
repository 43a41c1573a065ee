"""Alerts and stop rules: what is looked for in a run while it goes on, and what happens then.

`conditions` is the language of rules (`loss is nan`, `silent for 15m`), `rules` what a rule does, `watcher` evaluates rules
over rows, console lines and load, `actions` carries out what is asked.  Fired rules stand in the run's `alerts.jsonl`.
"""
