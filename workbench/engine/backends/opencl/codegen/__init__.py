"""Generation of OpenCL C from the steps of a plan; no driver is needed for it."""
