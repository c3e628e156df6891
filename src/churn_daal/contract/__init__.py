"""SageMaker's side of a training job: the files, the signals and the exit it agrees on."""
