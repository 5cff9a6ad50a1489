"""A protected call as long as a window or a tray is open: it goes on whatever happens to it.

Session runs the pipeline in a thread of its own, as the user wishes; Recorder makes a Moment out of
the frames that go by: status, meters, pictures, problems.
"""
