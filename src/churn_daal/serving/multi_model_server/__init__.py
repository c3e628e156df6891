"""The same models behind AWS's multi-model-server (Java), in the image of `--target mms`."""
