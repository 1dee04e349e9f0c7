"""`python -m appliance.worker`"""

import sys

from appliance.worker.daemon import main

if __name__ == "__main__":
    sys.exit(main())
