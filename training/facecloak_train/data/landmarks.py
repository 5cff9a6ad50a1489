"""The 68 points of iBUG, which the literature annotates, on MediaPipe's face mesh.

Source of the convention: Sagonas et al., "300 Faces in-the-Wild Challenge" (ICCV workshops 2013).
MediaPipe's mesh has no such points; these are the vertices nearest to where iBUG puts them.
"""

from typing import Final

IBUG_68: Final = (
    *(127, 234, 132, 58, 172, 136, 149, 148, 152),  # right half of the jaw, down to the chin
    *(377, 378, 365, 397, 288, 361, 454, 356),  # its left half, up to the ear
    *(70, 63, 105, 66, 107),  # right brow, outer end first
    *(336, 296, 334, 293, 300),  # left brow, inner end first
    *(168, 197, 5, 4),  # bridge of the nose, down to its tip
    *(98, 97, 2, 326, 327),  # its foot, from the right
    *(33, 160, 158, 133, 153, 144),  # right eye, from its outer corner over the upper lid
    *(362, 385, 387, 263, 373, 380),  # left eye, from its inner corner over the upper lid
    *(61, 39, 37, 0, 267, 269),  # outer lips, upper, from the right corner
    *(291, 405, 314, 17, 84, 181),  # outer lips, lower, from the left corner
    *(78, 82, 13, 312, 308, 317, 14, 87),  # inner lips, the same way round
)
"""Vertices of the mesh, in iBUG's order; right is the person's own."""

IBUG_68_MIRROR: Final = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46),
    *(39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""Where in ``IBUG_68`` the mirror image of each point stands."""
