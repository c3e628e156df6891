"""Measures servers of XGBoost models side by side: `make bench`, docs/performance.md."""
