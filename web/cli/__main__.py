"""`python -m web.cli`: the command, where the package is not installed."""

import sys

from web.cli.main import main

sys.exit(main())
