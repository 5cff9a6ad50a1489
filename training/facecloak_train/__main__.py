"""``python -m facecloak_train``."""

import sys

from facecloak_train.cli import main

sys.exit(main())
