"""Train XGBoost on Amazon SageMaker, serve it from Intel's oneDAL."""

__version__ = "0.1.0"
