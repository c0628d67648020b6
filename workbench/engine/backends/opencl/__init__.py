"""The OpenCL backend. Only modules in here import pyopencl; none of the other backends knows it."""
