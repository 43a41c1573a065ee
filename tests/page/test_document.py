"""A page is one file that asks for nothing and runs nothing but its own scripts."""

import base64
import gzip
import hashlib
import html
import json
import math
import re
from html.parser import HTMLParser

from helpers import ROOT

from capture.page import document

VENDOR = ROOT / "capture" / "page" / "web" / "vendor"
UPLOT = "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"


class Parts(HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._script = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._script = dict(attributes) if tag == "script" else None

    def handle_data(self, data):
        if self._script is not None:
            self.scripts.append((self._script, data))

    def handle_endtag(self, tag):
        self._script = None


def test_data_comes_through_whatever_it_holds():
    data = {"title": "</script><b>", "runs": [{"config": [["a", math.nan, "x"], ["b", "\u2028'\"", "y"]]}]}
    text = document.render("</title><script>alert(1)</script>", data)
    parts = Parts(text)
    (packed,) = [script for attributes, script in parts.scripts if attributes.get("id") == "data"]
    read = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert read["runs"][0]["config"] == [["a", "NaN", "x"], ["b", "\u2028'\"", "y"]]
    assert len(parts.scripts) == 3


def test_the_policy_allows_its_own_scripts_and_styles_alone():
    text = document.render("t", {"runs": []})
    (policy,) = [a["content"] for tag, a in Parts(text).elements if a.get("http-equiv")]
    allowed = set(re.findall(r"'sha256-([^']+)'", html.unescape(policy)))
    bodies = [s for a, s in Parts(text).scripts if a.get("id") != "data"]
    bodies.append(re.search(r"<style>(.*?)</style>", text, re.S)[1])
    digests = {base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies}
    assert allowed == digests
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_nothing_is_asked_for_from_elsewhere():
    elements = Parts(document.render("t", {"runs": []})).elements
    assert not [tag for tag, attributes in elements if {"src", "href", "style", "onclick"} & set(attributes)]


def test_the_same_data_gives_the_same_file():
    data = {"runs": [], "title": "t"}
    assert document.render("t", data) == document.render("t", data)


def test_the_charts_library_is_the_published_one():
    """The digest is that of dist/uPlot.iife.min.js in the package uplot 1.6.32."""
    assert hashlib.sha256((VENDOR / "uPlot.iife.min.js").read_bytes()).hexdigest() == UPLOT
    assert "MIT" in (VENDOR / "uPlot-LICENSE.txt").read_text()


def test_no_two_modules_give_a_thing_the_same_name():
    """They are joined into one script."""
    names = []
    for file in VENDOR.parent.glob("*.js"):
        names += re.findall(
            r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", file.read_text(), re.M
        )
    assert len(names) == len(set(names)) > 40
