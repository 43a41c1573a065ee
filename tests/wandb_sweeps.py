"""The part of a W&B server that the real `wandb agent` talks to: a sweep, and the points it hands out."""

import json

import yaml
from wandb_server import Server


class SweepServer(Server):
    """Hands out these points, one at a time, to the agent of one sweep."""

    def __init__(self, sweep, config, points):
        super().__init__()
        self.sweep, self.config = sweep, config
        self._points = list(enumerate(points))
        self.states = {}  # what the agent says of its runs

    def _SweepWithRuns(self, v):
        fields = ("id", "method", "state", "description", "createdAt", "heartbeatAt", "updatedAt", "bestLoss")
        sweep = {
            **dict.fromkeys((*fields, "earlyStopJobRunning", "controller", "scheduler")),
            "name": self.sweep,
        }
        return {"project": {"sweep": {**sweep, "config": yaml.safe_dump(self.config), "runs": {"edges": []}}}}

    def _CreateAgent(self, v):
        return {"createAgent": {"agent": {"id": "agent"}}}

    def _Heartbeat(self, v):
        self.states = json.loads(v["runState"] or "{}")
        commands = []
        if self._points and not self.states:
            number, point = self._points.pop(0)
            args = {name: {"value": value} for name, value in point.items()}
            program = self.config.get("program", "")
            commands = [{"type": "run", "run_id": f"agent-run-{number}", "program": program, "args": args}]
        return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(commands)}}
