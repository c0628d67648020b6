"""Backends: what runs a plan.

Each is a stranger to the others; `workbench.engine.backends.base` says what they share.
"""
