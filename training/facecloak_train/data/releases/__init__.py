"""Readers of the official releases of micro-expression datasets, untouched as their owners ship.

One module for each dataset has ``read(root, ...) -> Release``. None of these releases may be
redistributed and none was at hand: layouts, spellings and known wrong rows are those that others
have described, so every oddity is listed as skipped with its reason and none ends the reading.
"""
