"""Forms made from the fields of specs: whatever has fields has a form.

It knows no particular spec.
"""
