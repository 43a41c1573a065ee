"""Many logs at once: `logs` finds them by files, folders and patterns, `pool` reads several at a time."""
