"""The command line: one module for each verb, and the parser that tells them apart.

It knows no window: no module here imports Qt, and the parser imports nothing that is slow.
"""
