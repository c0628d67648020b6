"""The panels, one file each; they are strangers to each other, and the controller wires them."""
