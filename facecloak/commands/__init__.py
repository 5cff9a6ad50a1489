"""One module for each command of ``facecloak``: a story told with ``app``'s parts."""
