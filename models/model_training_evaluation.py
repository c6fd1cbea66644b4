"""The whole pipeline of a model in one go: load, prepare, train, evaluate, save.

The same as ``chw train``; try ``python models/model_training_evaluation.py --help``.
"""

import os
import sys

from chw_tools.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]], os.environ))
