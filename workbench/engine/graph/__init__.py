"""The expression language: variables, operations, derivatives and rewrites. It knows no device."""
