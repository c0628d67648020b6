"""The window: everything that knows Qt; it meets the engine by commands, events and specs only."""
