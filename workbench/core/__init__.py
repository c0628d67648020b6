"""What every other package may use: errors, registries, resources and paths.

It imports nothing of ours.
"""
