"""Rewrites `capture/redaction/rules.json` from a release of gitleaks.

`python tests/published.py config/gitleaks.toml v8.30.1`, the file as the repository has it at that tag
(https://github.com/gitleaks/gitleaks, MIT).  The expressions are kept as they are written there.
"""

import json
import sys
from pathlib import Path

import tomli

RULES = Path(__file__).parent.parent / "capture" / "redaction" / "rules.json"


def main(source, version):
    rules = tomli.loads(Path(source).read_text(encoding="utf-8"))["rules"]
    kept = [
        {"id": rule["id"], "keywords": rule["keywords"], "regex": rule["regex"]}
        for rule in rules
        if "regex" in rule  # one is of files' names
    ]
    about = {"source": "https://github.com/gitleaks/gitleaks", "version": version, "licence": "MIT"}
    lines = ",\n".join(json.dumps(rule, ensure_ascii=False) for rule in kept)
    RULES.write_text(f'{json.dumps(about)[:-1]}, "rules": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(kept)} rules")


if __name__ == "__main__":
    main(*sys.argv[1:])
