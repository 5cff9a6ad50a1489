"""What every part of FaceCloak agrees on: types, ports, errors, geometry and file formats.

NumPy and the standard library only (safetensors reads and writes the perturbation file, and
platformdirs knows where the user's own lie); imports no other part of the package.
"""
