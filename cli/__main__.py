"""`python -m seqkit.cli` is `seqkit`."""

import sys

from seqkit.cli.main import main

sys.exit(main())
