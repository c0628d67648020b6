"""Lowering: from an expression and concrete shapes to a plan, the device-independent list of kernels."""
