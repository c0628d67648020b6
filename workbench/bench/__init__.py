"""Benchmarks: the workbench beside NumPy and PyTorch, on the same arithmetic and the same data.

Each contender works in a process of its own, which imports its own library alone.
"""
