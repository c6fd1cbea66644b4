"""Write the generated pages of docs/, or with --check say which are not up to date."""

import sys
from functools import partial
from pathlib import Path

from chw_tools.programme.coverage import coverage_page
from chw_tools.programme.guidelines import SET_TITLES, guidelines_page, rule_set_page
from chw_tools.programme.monitoring_page import monitoring_page
from chw_tools.programme.outcomes_page import outcomes_page
from chw_tools.records.dictionary import data_dictionary
from chw_tools.risk_prediction.scores.page import scores_page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    ROOT / "docs" / "data_dictionary.md": data_dictionary,
    ROOT / "docs" / "guidelines.md": guidelines_page,
    ROOT / "docs" / "monitoring_rules.md": monitoring_page,
    ROOT / "docs" / "outcomes.md": outcomes_page,
    ROOT / "docs" / "scores.md": scores_page,
    ROOT / "docs" / "guidelines" / "coverage.md": coverage_page,
} | {
    ROOT / "docs" / "guidelines" / f"{name}.md": partial(rule_set_page, name) for name in SET_TITLES
}


def main() -> int:
    stale = []
    for path, write in PAGES.items():
        text = write()
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path.relative_to(ROOT)))
    if stale:
        print(f"Not up to date: {', '.join(stale)}. Run: make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
