"""`python -m web.cli`: the command, where the package is not installed."""

import sys

from web.cli.start import main

sys.exit(main())
