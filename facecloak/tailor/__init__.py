"""A perturbation made to measure for each face while the call goes on, off the hot path.

    gradient   a classifier's backward pass as an ONNX graph
    canvas     a face as a perturbation changes it, and what a change of the face means for that
    straying   how it may stand a moment later
    glance     how a classifier at the far end may look at it
    suit       what a face has, and how far that may go from where it began
    ascent     projected gradient ascent on the last moments of a face
    tailor     whose turn it is, how many steps, and what comes of them

What is fitted keeps the budgets of the perturbation that it begins with, which stays on the face
until then, and wherever nothing can be fitted.
"""
