"""A hook of MkDocs: links that work in the repository work on the site.

A page may link to any file of the repository.  What is outside of `docs/` is put below `source/` on the site:
Markdown as a page, a folder as the README in it, and everything else as it is.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import relpath

from mkdocs.structure.files import File, Files, InclusionLevel

DOCS = Path(__file__).parent
ROOT = DOCS.parent
LINK = re.compile(r"(\]\()(?!https?:|mailto:|#)([^)#\s]+)")


def on_files(files, config):
    """Add the files outside of the documents' folder that pages link to."""
    waiting = [DOCS / file.src_uri for file in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        for target in _targets(page):
            if _uri(target) not in files.src_uris:
                files.append(_file(target, config))
                if target.suffix == ".md":
                    waiting.append(target)
    return Files(list(files))


def on_page_markdown(markdown, page, **_):
    """Make the links of a page those of the site."""
    here = _path(page.file.src_uri)

    def link(match):
        target = _at(here, match[2])
        return match[1] + (
            relpath(_uri(target), PurePosixPath(page.file.src_uri).parent) if target else match[2]
        )

    return LINK.sub(link, markdown)


def _targets(page):
    found = (_at(page, match[2]) for match in LINK.finditer(page.read_text(encoding="utf-8")))
    return [target for target in found if target]


def _at(page, link):
    """The file that a page's link leads to; None if there is none, which MkDocs then says."""
    path = (page.parent / link).resolve()
    if path.is_dir():
        path /= "README.md"
    return path if path.is_file() else None


def _uri(path):
    return (path.relative_to(DOCS) if DOCS in path.parents else "source" / path.relative_to(ROOT)).as_posix()


def _path(uri):
    return ROOT / uri.removeprefix("source/") if uri.startswith("source/") else DOCS / uri


def _file(path, config):
    """A file of the repository as one of the site, not in its navigation; source is shown as text."""
    uri = _uri(path)
    if path.suffix in (".md", ".png", ".svg", ".ipynb"):
        file = File.generated(config, uri, abs_src_path=str(path))
    else:
        file = File.generated(config, uri, content=path.read_text(encoding="utf-8"))
    file.inclusion = InclusionLevel.NOT_IN_NAV
    return file
