"""Where protected frames go: virtual camera, file, yuv4mpeg, preview, nowhere."""
