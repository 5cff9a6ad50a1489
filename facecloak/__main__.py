"""``python -m facecloak``."""

import sys

from facecloak.cli import main

sys.exit(main())
