"""Networks as expressions: layers, what they start from, what they aim at, how they change.

It knows the expression language and no device.
"""
