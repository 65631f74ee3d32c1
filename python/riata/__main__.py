"""``python -m riata`` is the command line."""

import sys

from riata.cli import main

sys.exit(main())
