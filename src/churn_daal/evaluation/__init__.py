"""Models judged on labelled rows: by themselves, and one against another."""

from churn_daal.evaluation.comparison import Comparison, compare
from churn_daal.evaluation.labelled import Answered, answer_rows
from churn_daal.evaluation.packages import open_package

__all__ = ["Answered", "Comparison", "answer_rows", "compare", "open_package"]
