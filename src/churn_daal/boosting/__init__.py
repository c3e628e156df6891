"""Fitting XGBoost: hyperparameters, rows to train on, rounds, and the figures of held-out rows."""
