"""`python -m runpod_deploy` is `runpod-deploy`."""

import sys

from .cli import main

sys.exit(main())
