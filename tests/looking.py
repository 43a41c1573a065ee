"""Runs to look at, made without running anything: their folders, with fixed values and times."""

import json
import math
import os
import time
from pathlib import Path

from capture import runs
from capture.language import installed

HOUR_AGO = 3630  # seconds, so that an age is `1 h 0 min`


def make_runs(base: Path, chosen=((0.1, 8), (0.3, 8), (0.1, 32)), steps=40) -> list[Path]:
    """Runs of one project that differ in `lr` and `hidden`, the folders in their order."""
    return [_make_run(base, place, lr, hidden, steps) for place, (lr, hidden) in enumerate(chosen)]


def _make_run(base: Path, place: int, lr: float, hidden: int, steps: int) -> Path:
    folder = base / "mnist" / f"20260101-00000{place}-abcdef"
    folder.mkdir(parents=True)
    start = time.time() - HOUR_AGO - place * 3600
    run = runs.Run(
        id=folder.name,
        project="mnist",
        name=f"train-{place + 1} lr={lr} hidden={hidden}",
        command=["python", "train.py", "--lr", str(lr), "--hidden", str(hidden)],
        cwd=str(base),
        host="gpu01",
        start=start,
        end=start + 95,
        exit_status=0,
        state="finished",
        tags=["nightly"],
        to=["jsonl"],
        git={"commit": f"{place}" * 40, "branch": "main"},
        settings={"project": "mnist"},
    )
    runs.write(folder, run)
    lines, records = [], []
    for step in range(1, steps + 1):
        loss = 2 * math.exp(-lr * step / 4) + 0.4 / hidden
        lines.append(f"step {step} loss {loss:.4f}")
        records.append(_record(start, step, None, {"loss": round(loss, 4)}, lines))
        if step % 10 == 0:
            epoch = step // 10
            values = {"val_loss": round(1.5 * math.exp(-lr * epoch) + 0.4 / hidden + 0.02 * epoch, 4)}
            values["val_acc"] = round(1 - math.exp(-lr * epoch * 3) * 0.9, 4)
            lines.append(f"epoch {epoch} val_loss {values['val_loss']} val_acc {values['val_acc']}")
            records.append(_record(start, None, epoch, values, lines))
    (folder / "console.log").write_text("\n".join(lines) + "\n")
    (folder / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "config.json").write_text(
        json.dumps({"command line": {"lr": lr, "hidden": hidden}, "capture": {"seed": 1}})
    )
    packages = {"numpy": "2.0", "torch": "2.13.0" if place else "2.12.0"}
    (folder / "provenance.json").write_text(json.dumps({"python": {"packages": packages}}))
    (folder / "status.json").write_text(
        json.dumps({"state": "done", "records": len(records), "pid": 1, "last": {}})
    )
    (folder / "delivered").mkdir()
    (folder / "delivered" / "jsonl.json").write_text(json.dumps({"state": "closed", "rows": len(records)}))
    parsers = folder / "parsers" / "built-in"
    parsers.mkdir(parents=True)
    general = [text for name, text in installed.texts() if name.endswith("general.yaml")]
    (parsers / "000-general.yaml").write_text(general[0])
    os.utime(folder / "records.jsonl")
    return folder


def _record(start, step, epoch, metrics, lines):
    offset = sum(len(line) + 1 for line in lines[:-1])
    time = start + len(lines)
    return {"time": time, "parser": "general", "step": step, "epoch": epoch, "metrics": metrics, "context": {},
            "at": [offset, len(lines[-1])]}  # fmt: skip
