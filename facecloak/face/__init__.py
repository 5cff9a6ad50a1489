"""Finds, tracks and aligns faces: MediaPipe behind one adapter, One-Euro smoothing."""
