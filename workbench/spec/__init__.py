"""Frozen descriptions of networks, training runs and datasets, and their form as JSON.

It knows no arithmetic.
"""
