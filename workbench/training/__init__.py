"""Sessions and trainers: a network, its data and a device brought together; no window is known."""
