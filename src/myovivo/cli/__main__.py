"""`python -m myovivo.cli` is `myovivo`."""

import sys

from .entry import main

sys.exit(main())
