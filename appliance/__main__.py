"""`python -m appliance` is the `centralka` command."""

import sys

from appliance.cli import main

sys.exit(main())
