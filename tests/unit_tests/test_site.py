"""The site of docs/: no link leads nowhere, every page is reached, each user has a page."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
USERS = (
    "community_health_workers",
    "data_scientists",
    "healthcare_professionals",
    "software_engineers",
    "system_administrators",
)


def _listed(entries):
    for entry in entries:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from _listed(value)


def test_no_link_leads_nowhere():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/build_site.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_page_of_docs_is_in_the_menu_or_linked():
    project = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    listed = set(_listed(project["nav"]))
    top = {path.name for path in (ROOT / "docs").glob("*.md")}
    users = {f"users/{name}.md" for name in USERS}
    assert {path.name for path in (ROOT / "docs/users").glob("*.md")} == {f"{n}.md" for n in USERS}
    assert users <= listed
    linked = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("**/*.md"))
    assert [page for page in top - listed if f"({page}" not in linked] == []
    elsewhere = {"index.md", "deployment_instructions.md"}
    assert {place for place in listed if not (ROOT / "docs" / place).exists()} == elsewhere


def test_links_are_turned_to_where_pages_lie_in_the_site(tmp_path):
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import build_site
    finally:
        sys.path.remove(str(ROOT / "scripts"))
    page = tmp_path / "page.md"
    links = f"[a]({ROOT}/docs/api.md#pages) [b]({ROOT}/Makefile) [c](https://example.org)"
    page.write_text(links, encoding="utf-8")
    turned = build_site.turned(page, "users/page.md", {ROOT / "docs/api.md": "api.md"})
    assert turned == "[a](../api.md#pages) b (`Makefile`) [c](https://example.org)"
