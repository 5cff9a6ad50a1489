"""The synthetic stand-in for micro-expression sets: real still faces, moved by action units."""
