"""``python -m facecloak_train``."""

import sys

from facecloak_train.cli import main
from facecloak_train.grid import leash

leash.follow()
sys.exit(main())
