"""Alerts and stop rules: what is looked for in a run while it goes on, and what happens then.

`rule_language` reads rules (`loss is nan`, `silent for 15m`), `conditions` and `of_metrics` are what
they are made of, `watcher` evaluates them over rows, console and load, `actions`
tells others.  What has fired is in the run's `alerts.jsonl`.
"""
