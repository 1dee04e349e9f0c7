"""python -m appliance.exchange"""

import sys

from appliance.exchange.daemon import main

sys.exit(main())
