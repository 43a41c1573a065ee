"""A W&B server in a thread, on loopback, for the real client: keeps what it is sent, and fails when told.

It answers what the client asks for: GraphQL for the run itself (made, resumed, updated), its files,
artifacts and alerts; uploads; and the file stream of rows, summary, console and exit status.
"""

import itertools
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "0123456789abcdef0123456789abcdef01234567"
HISTORY, EVENTS, OUTPUT, SUMMARY = (
    "wandb-history.jsonl",
    "wandb-events.jsonl",
    "output.log",
    "wandb-summary.json",
)
DOWN = "down"  # trouble: the connection is closed at once
LOST = "lost"  # trouble: the request is done, and the connection is closed without an answer


@dataclass
class StoredRun:
    """A run as the server holds it."""

    id: str
    project: str
    entity: str
    fields: dict = field(default_factory=dict)  # what UpsertBucket was given: displayName, tags, ...
    raw_config: dict = field(default_factory=dict)
    summary: dict = field(default_factory=dict)
    streams: dict = field(default_factory=dict)  # name -> its lines by their number
    files: dict = field(default_factory=dict)
    exit_code: int | None = None
    completed: int = 0  # how often a writer has said that the run is over
    places: dict = field(default_factory=dict)  # (writer, stream, its number) -> the line's number
    faults: list = field(default_factory=list)  # what a client must not do

    def lines(self, name):
        """The lines of one stream in their order."""
        return [line for _, line in sorted(self.streams.get(name, {}).items())]

    @property
    def rows(self):
        return [json.loads(line) for line in self.lines(HISTORY)]

    @property
    def events(self):
        """What the client saw of the machine."""
        return [json.loads(line) for line in self.lines(EVENTS)]

    @property
    def console(self):
        """The console's lines without the time that stands before each."""
        return [re.sub(r"^(ERROR )?\S+T\S+Z? ", "", line.rstrip("\n")) for line in self.lines(OUTPUT)]

    @property
    def config(self):
        """The config without the client's own notes."""
        return {name: item["value"] for name, item in self.raw_config.items() if name != "_wandb"}

    @property
    def defined(self):
        """What `define_metric` said, by name; the keys are protobuf's numbers, 2 of a name with an asterisk."""
        return {item.get("1") or item["2"]: item for item in self.raw_config["_wandb"]["value"].get("m", [])}

    def write(self, name, offset, content):
        if name == SUMMARY:
            self.summary = json.loads(content[-1])
            return
        lines = self.streams.setdefault(name, {})
        if name == HISTORY and offset > len(lines):
            self.faults.append(f"{name}: line {offset} after {len(lines)}")
        for number, line in enumerate(content, offset):
            if name == HISTORY and number in lines and _values(lines[number]) != _values(line):
                self.faults.append(f"{name}: line {number} changed: {lines[number]} became {line}")
            lines[number] = line

    def write_of(self, writer, name, offset, content):
        """Lines of one of several writers: in the order in which they come; the summary is made of them."""
        if name == SUMMARY:
            return
        lines = self.streams.setdefault(name, {})
        for number, line in enumerate(content, offset):
            place = self.places.setdefault((writer, name, number), len(lines))
            lines[place] = line


def _values(line):
    return {name: value for name, value in json.loads(line).items() if name not in ("_timestamp", "_runtime")}


class Server:
    """Use it as a context; `trouble` is what answers requests whose name holds `where`: a status, DOWN or LOST."""

    def __init__(self):
        self.runs = {}
        self.artifacts = []
        self.alerts = []
        self.requests = []  # "POST /graphql UpsertBucket", in the order they came
        self.refused = 0
        self.trouble = None
        self.where = ""
        self.delay = 0.0
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._server = None
        self._port = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        if self._server:
            self.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    @property
    def environ(self):
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": KEY}

    @property
    def run(self):
        """The only run."""
        (run,) = self.runs.values()
        return run

    def start(self):
        """Listen; after `stop` at the same place."""
        server = self

        class Handler(_Handler):
            owner = server

        self._server = _Quiet(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """Be gone: nobody listens there."""
        self._server.shutdown()
        self._server.server_close()
        self._server = None

    def fails(self, name):
        return self.trouble if self.trouble and self.where in name else None

    def graphql(self, operation, variables):
        answer = getattr(self, f"_{operation}", None)
        with self._lock:
            return answer(variables) if answer else None

    def _Viewer(self, v):
        team = {"edges": [{"node": {"name": "team"}}]}
        return {
            "viewer": {"id": "u", "entity": "me", "username": "me", "email": "", "flags": "{}", "teams": team}
        }

    def _ServerFeaturesQuery(self, v):
        return {"serverInfo": {"features": []}}

    def _RunResumeStatus(self, v):
        run = self.runs.get(v["name"])
        entity = v.get("entity") or "me"
        model = {"id": "p", "name": v["project"], "entity": {"id": "e", "name": entity}, "bucket": None}
        if run:
            tail = {name: json.dumps(run.lines(stream)[-1:]) for name, stream in TAILS.items()}
            counts = {name: len(run.lines(stream)) for name, stream in COUNTS.items()}
            model["bucket"] = {
                "id": run.id,
                "name": run.id,
                "summaryMetrics": json.dumps(run.summary),
                "displayName": run.fields.get("displayName"),
                "config": json.dumps(run.raw_config),
                "tags": run.fields.get("tags") or [],
                "notes": run.fields.get("notes"),
                "wandbConfig": '{"t": 1}',
                **tail,
                **counts,
            }
        return {"model": model}

    def _UpsertBucket(self, v):
        known = v["name"] in self.runs
        entity = v.get("entity") or "me"
        run = self.runs.setdefault(
            v["name"], StoredRun(v["name"], v.get("project") or "uncategorized", entity)
        )
        run.fields.update({name: value for name, value in v.items() if value is not None})
        run.raw_config.update(json.loads(v.get("config") or "{}"))
        run.summary.update(json.loads(v.get("summaryMetrics") or "{}"))
        project = {"id": "p", "name": run.project, "entity": {"id": "e", "name": entity}}
        bucket = {
            "id": run.id,
            "name": run.id,
            "displayName": run.fields.get("displayName"),
            "project": project,
        }
        bucket |= {"config": json.dumps(run.raw_config), "historyLineCount": len(run.lines(HISTORY))}
        return {"upsertBucket": {"bucket": bucket, "inserted": not known}}

    def _CreateRunFiles(self, v):
        files = [{"name": name, "uploadUrl": f"{self.url}/upload/{v['run']}/{name}"} for name in v["files"]]
        return {"createRunFiles": {"runID": v["run"], "uploadHeaders": [], "files": files}}

    def _NotifyScriptableRunAlert(self, v):
        self.alerts.append((v["runName"], v["title"], v["text"]))
        return {"notifyScriptableRunAlert": {"success": True}}

    def versions(self, name):
        """The versions of an artifact that were committed, in their order, each with its `files`."""
        return [
            one
            for one in self.artifacts
            if one["artifactCollectionName"] == name and one["state"] == "COMMITTED"
        ]

    def _CreateArtifact(self, v):
        """What has the digest of a version that is there becomes none, as on W&B's own server."""
        key = ("artifactCollectionName", "digest")
        asked = [v["input"][name] for name in key]
        known = [
            number
            for number, one in enumerate(self.artifacts)
            if one["state"] == "COMMITTED" and [one[name] for name in key] == asked
        ]
        if not known:
            self.artifacts.append({**v["input"], "state": "PENDING", "files": {}})
        number = known[0] if known else len(self.artifacts) - 1
        latest = {"id": str(number), "versionIndex": number}
        artifact = {"id": str(number), "state": self.artifacts[number]["state"]}
        return {"createArtifact": {"artifact": {**artifact, "artifactSequence": {"latestArtifact": latest}}}}

    def _ArtifactByID(self, v):
        one = self.artifacts[int(v["id"])]
        return {"artifact": {"id": v["id"], "state": one["state"], "digest": one["digest"]}}

    def _ArtifactType(self, v):
        known = self.versions(v["name"].partition(":")[0])
        found = {"artifactType": {"name": known[-1]["artifactTypeName"]}} if known else None
        return {"project": {"artifact": found}}

    def _CreateArtifactManifest(self, v):
        url = f"{self.url}/upload/{v['runName']}/artifact-{v['artifactID']}-{v['name']}"
        file = {"id": "f", "uploadUrl": url, "uploadHeaders": []}
        return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": file}}}

    def _CreateArtifactFiles(self, v):
        edges = []
        for spec in v["input"]["artifactFiles"]:
            path = f"artifact-{spec['artifactID']}/{spec['name']}"
            node = {"storagePath": path, "uploadUrl": f"{self.url}/upload/{path}", "uploadHeaders": []}
            node |= {"uploadMultipartUrls": None, "artifact": {"id": spec["artifactID"]}}
            edges.append({"node": node})
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def _CommitArtifact(self, v):
        artifact = self.artifacts[int(v["artifactID"])]
        artifact["state"] = "COMMITTED"
        return {"commitArtifact": {"artifact": {"id": v["artifactID"], "digest": artifact["digest"]}}}

    def stream(self, run_id, body, writer=None):
        """A piece of the file stream; in shared mode each writer numbers its own lines."""
        with self._lock:
            run = self.runs[run_id]
            for name, chunk in body.get("files", {}).items():
                if writer is None:
                    run.write(name, chunk["offset"], chunk["content"])
                else:
                    run.write_of(writer, name, chunk["offset"], chunk["content"])
            if body.get("complete"):
                run.exit_code = body.get("exitcode")
                run.completed += 1
        return {"limits": {}}

    def put(self, path, data):
        """An uploaded file."""
        owner, _, name = path.removeprefix("/upload/").partition("/")
        with self._lock:
            if owner in self.runs:
                self.runs[owner].files[name] = data
            elif owner.startswith("artifact-"):
                self.artifacts[int(owner.removeprefix("artifact-"))]["files"][name] = data


TAILS = {"historyTail": HISTORY, "eventsTail": EVENTS}
COUNTS = {"historyLineCount": HISTORY, "eventsLineCount": EVENTS, "logLineCount": OUTPUT}


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is part of the tests


class _Handler(BaseHTTPRequestHandler):
    owner = None
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(data or b"{}")
        name = self.path
        if self.path == "/graphql":
            name += " " + re.search(r"(?:query|mutation)\s+(\w+)", body["query"])[1]
        if self._fails(name):
            return
        if self.path == "/graphql":
            found = self.owner.graphql(name.split()[1], body.get("variables") or {})
            self._answer(200, {"data": found} if found else {"errors": [{"message": f"unknown: {name}"}]})
        elif self.path.endswith("/file_stream"):
            shared = self.headers.get("X-WANDB-USE-ASYNC-FILESTREAM")
            writer = self.headers.get("X-WANDB-ASYNC-CLIENT-ID") if shared else None
            self._answer(200, self.owner.stream(self.path.split("/")[-2], body, writer))
        else:
            self._answer(404, {})

    def do_PUT(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._fails(self.path):
            self.owner.put(self.path, data)
            self._answer(200, {})

    def do_GET(self):
        if not self._fails(self.path):
            self._answer(404, {})

    def _fails(self, name):
        owner = self.owner
        if owner.delay:
            time.sleep(owner.delay)
        owner.requests.append(f"{self.command} {name}")
        trouble = owner.fails(name)
        if owner._server is None:
            trouble = DOWN  # a connection that was open when the server was stopped
        owner.refused += trouble is not None
        self.lost = trouble == LOST
        if isinstance(trouble, int):
            self._answer(trouble, {"error": "told to fail"})
        elif trouble == DOWN:
            self.close_connection = True
        return trouble is not None and not self.lost

    def _answer(self, status, item):
        if self.lost:
            self.close_connection = True
            return
        data = json.dumps(item).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        pass
