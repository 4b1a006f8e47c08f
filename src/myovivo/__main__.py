"""`python -m myovivo` is `myovivo`."""

import sys

from .cli.entry import main

sys.exit(main())
