"""A perturbation fitted to one's own face, in memory and on the CPU: ``facecloak calibrate``.

    gathering  Source + FaceFinder -> crops of the person seen most      no picture is written
    crops      what is kept of a frame: the face, small and grey
    looks      how a classifier at the far end may look at a crop
    exam       looks at a face, and how far each judge is from misreading them
    refining   ascent on pictures of the face, as the tailor's, within the budgets
    fitting    ``fit``: refine on the first part of the crops, tell what the last part says

A stage is asked through its port, or through the function that the live pipeline calls.
"""
