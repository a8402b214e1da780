"""``python -m symgrad`` is the program ``symgrad``."""

import sys

from symgrad.cli import main

sys.exit(main())
