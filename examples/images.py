"""The images that the examples learn from: MNIST where it is found, else drawn digits.

MNIST is found in the folder `mnist` of what `WORKBENCH_DATA` names, or where
`workbench train --dataset mnist` left it. Nothing is downloaded from here.
"""

import numpy as np

import workbench.theano as theano
from workbench.core import paths
from workbench.data.loading import load
from workbench.spec.data import DataSpec


class SharedImages:
    """Images and labels as shared variables: they lie on the device from now on.

    An image is a row of 784 numbers from 0 to below 1.
    """

    def __init__(self, split):
        self.count = len(split)
        rows = split.inputs.reshape(self.count, -1) / 256
        self.images = theano.shared(rows.astype(theano.config.floatX), borrow=True)
        self.labels = theano.shared(split.targets.astype(np.int32), borrow=True)

    def batches(self, size):
        """Return the numbers of the batches that together hold each image once."""
        return range(-(-self.count // size))


def shared_images(limit=None):
    """Return the training, validation and test images, the first `limit` of each."""
    folders = [folder / "mnist" for folder in (paths.data_folder(), paths.cache_folder()) if folder]
    found = any(any(folder.glob("train-images-idx3-ubyte*")) for folder in folders)
    data = load(DataSpec("mnist" if found else "digits"))
    splits = [SharedImages(s[:limit]) for s in (data.train, data.validation, data.test)]
    name = "MNIST" if found else "MNIST was not found, so digits that the workbench draws"
    counts = [split.count for split in splits]
    print("{}: {} images to learn from, {} to validate, {} to test".format(name, *counts))
    return splits
