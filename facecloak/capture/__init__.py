"""Sources of frames: camera, video or picture file, the animated demo portrait."""
