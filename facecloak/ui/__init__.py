"""The window and the tray: they show moments of a session and pass on what the user wants.

Nothing here calls a camera or a model; ``presenter`` and ``autostart`` do not even know Qt.
"""
