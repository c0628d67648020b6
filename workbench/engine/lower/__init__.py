"""Lowering: from an expression and concrete shapes to a plan of device-independent kernels."""
