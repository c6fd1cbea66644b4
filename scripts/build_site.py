"""Build docs/ as a site, strictly: every link must lead somewhere.

``make site`` calls this. Pages that lie elsewhere (the instructions, the README as the first page)
are copied beside docs/, with their links turned; links to code lead to files of the repository,
which must exist. ``--check`` checks the links and builds nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "build" / "site_source"
#: Pages of the site that do not lie in docs/: where each comes from, and its place there.
ELSEWHERE = {
    "README.md": "index.md",
    "deployment/deployment_instructions.md": "deployment_instructions.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "GLOSSARY.md": "glossary.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```", re.M | re.S)


def pages() -> dict[Path, str]:
    """Each page by where it lies, with its place in the site."""
    found = {ROOT / source: place for source, place in ELSEWHERE.items()}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        found[path] = path.relative_to(ROOT / "docs").as_posix()
    return found


def faults() -> list[str]:
    """Links that lead nowhere: page, link, and what is missing."""
    said = []
    for path in pages():
        for link in links_of(path):
            place, _, anchor = link.partition("#")
            target = (path.parent / place).resolve() if place else path
            if not target.exists():
                said.append(f"{path.relative_to(ROOT)}: {link} leads nowhere")
            elif anchor and target.suffix == ".md" and anchor not in anchors_of(target):
                said.append(f"{path.relative_to(ROOT)}: {link} names no heading of that page")
    return said


def links_of(path: Path) -> list[str]:
    """Links of a page to files; addresses of the web are not asked."""
    text = _CODE.sub("", path.read_text(encoding="utf-8"))
    found = [link for _, link in _LINK.findall(text)]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors_of(path: Path) -> set[str]:
    """The names by which headings of a page are reached."""
    text = _CODE.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def write_source() -> None:
    """Lay all pages and pictures out as the site has them."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE)
    places = pages()
    for path, place in places.items():
        (SOURCE / place).write_text(turned(path, place, places), encoding="utf-8")


def turned(path: Path, place: str, places: dict[Path, str]) -> str:
    """A page's text with its links as they are in the site."""

    def turn(match: re.Match[str]) -> str:
        words, link = match.groups()
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link) or not target:
            return match.group()
        there = (path.parent / target).resolve()
        to = places.get(there)
        if to is None and (ROOT / "docs") in there.parents and there.is_file():
            to = there.relative_to(ROOT / "docs").as_posix()
        if to is None:
            # A file of the repository, which the site does not hold: its name is told instead.
            return f"{words[1:-1]} (`{there.relative_to(ROOT)}`)" if words[0] == "[" else words
        up = "../" * place.count("/")
        return f"{words}({up}{to}{'#' + anchor if anchor else ''})"

    return _LINK.sub(turn, path.read_text(encoding="utf-8"))


def main() -> int:
    """Check, lay out, build; 0 where nothing is wrong."""
    found = faults()
    for fault in found:
        print(fault)
    if found or "--check" in sys.argv:
        return len(found)
    write_source()
    zensical = Path(sys.executable).with_name("zensical")
    return subprocess.run(
        [str(zensical), "build", "--strict", "--clean"], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
