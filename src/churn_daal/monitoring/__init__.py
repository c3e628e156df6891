"""What an endpoint was asked, as SageMaker captured it, against what the model was trained on."""
