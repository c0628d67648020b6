"""Model files and exports, at the level of NumPy: what comes from a file is never run.

It knows networks and parameters, and no device.
"""

from workbench.io.load import load_model
from workbench.io.model_file import ModelFile
from workbench.io.parameters import export_parameters, import_parameters
from workbench.io.save import save_model

__all__ = ["ModelFile", "export_parameters", "import_parameters", "load_model", "save_model"]
