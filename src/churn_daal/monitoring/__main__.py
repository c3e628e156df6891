"""`python -m churn_daal.monitoring`, in the image or beside it."""

import sys

from churn_daal.monitoring.command import main

sys.exit(main())
