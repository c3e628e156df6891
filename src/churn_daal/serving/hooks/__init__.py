"""Inference code of the user's own, in the place of ours where it has a say."""
