"""Rows and columns: the grammar of cells, the schema learned from them, their encoding."""
