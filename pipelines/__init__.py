"""The SageMaker pipeline of the churn example: from raw rows to a registered model."""
