"""``python -m riata`` is the command line."""

import sys

from riata.cli.parser import main

sys.exit(main())
