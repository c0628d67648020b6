"""An autoencoder with tied weights learns to take noise out of images.

Part of each image's pixels are put to zero; 256 hidden units must give the whole image back, by
the transpose of the weights that they listen through.

    python examples/denoising_autoencoder.py [--epochs 5] [--limit 50000]

`WORKBENCH_DEVICE` chooses the device.
"""

import argparse
import time

import numpy as np
from images import shared_images

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.theano.tensor.shared_randomstreams import RandomStreams

BATCH = 50
PIXELS = 28 * 28
HIDDEN = 256
RATE = 0.1
CORRUPTION = 0.3

theano.config.floatX = "float32"


class DenoisingAutoencoder:
    """h = sigmoid(corrupted x W + b), and sigmoid(h W.T + b_out) is to be x again."""

    def __init__(self, x, streams):
        bound = 4 * np.sqrt(6 / (PIXELS + HIDDEN))
        values = np.random.RandomState(1).uniform(-bound, bound, (PIXELS, HIDDEN))
        self.W = theano.shared(values.astype(theano.config.floatX), name="W")
        self.b = theano.shared(np.zeros(HIDDEN, theano.config.floatX), name="b")
        self.b_out = theano.shared(np.zeros(PIXELS, theano.config.floatX), name="b_out")
        self.params = [self.W, self.b, self.b_out]

        kept = streams.binomial(size=x.shape, p=1 - CORRUPTION, dtype=theano.config.floatX)
        hidden = T.nnet.sigmoid(T.dot(kept * x, self.W) + self.b)
        self.output = T.nnet.sigmoid(T.dot(hidden, self.W.T) + self.b_out)
        self.cost = T.nnet.binary_crossentropy(self.output, x).sum(axis=1).mean()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--limit", type=int, help="take the first images only")
    options = parser.parse_args(arguments)
    train, _, test = shared_images(options.limit)

    i, x = T.iscalar("i"), T.matrix("x")
    model = DenoisingAutoencoder(x, RandomStreams(1))
    slopes = T.grad(model.cost, model.params)
    updates = [(p, p - RATE * slope) for p, slope in zip(model.params, slopes, strict=True)]

    def batch(split):
        return {x: split.images[i * BATCH : (i + 1) * BATCH]}

    learn = theano.function([i], model.cost, updates=updates, givens=batch(train))
    judge = theano.function([i], model.cost, givens=batch(test))

    def test_cost():
        return float(np.mean([judge(k) for k in test.batches(BATCH)]))

    start = time.time()
    costs = [test_cost()]
    print(f"before learning: cost {costs[0]:.1f} of the test images")
    for epoch in range(1, options.epochs + 1):
        mean = np.mean([learn(k) for k in train.batches(BATCH)])
        costs.append(test_cost())
        print(f"epoch {epoch}: cost {mean:.1f}, {costs[-1]:.1f} of the test images")
    share, seconds = costs[-1] / costs[0], time.time() - start
    print(f"{learn.device.name}: {100 * share:.1f} % of the first cost is left, {seconds:.1f} s")
    return share


if __name__ == "__main__":
    main()
