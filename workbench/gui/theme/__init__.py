"""How the window looks: one palette, one spacing scale, one set of icons, one style made of them.

It knows no widget of the window.
"""
