"""Finds, tracks and aligns faces.

    mediapipe_finder   MediaPipe's models, and MediaPipeFinder made of them: start here
    search             what to look at in a frame: the mesh first, closer looks where it fails
    views              the smaller copy of a frame, and the squares cut out of it
    alignment          landmarks -> place: the similarity onto the template of core.geometry
    tracking           who is who, who is carried on by prediction, who is missing
    flow               prediction by optical flow
    smoothing          the One-Euro filter over places

Only ``mediapipe_finder`` imports mediapipe; ``alignment``, ``tracking`` and ``smoothing`` see
numbers alone.
"""
