"""Neural Workbench: train small neural networks on any OpenCL device and see them learn."""

__version__ = "0.1.0"
