"""The engine: expressions, their lowering to plans, and the backends that run them."""
