"""The web application at the path that the brief names; the code is in :mod:`chw_tools.api`.

The same as ``chw serve``; see also ``deployment/api/app.py``.
"""

import os
import sys

from chw_tools.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]], os.environ))
