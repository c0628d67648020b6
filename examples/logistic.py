"""Softmax regression tells digits apart.

One matrix of weights and a bias, by gradient descent on mini-batches that a symbolic index cuts
from images on the device.

    python examples/logistic.py [--epochs 20] [--limit 50000]

`WORKBENCH_DEVICE` chooses the device.
"""

import argparse
import time

import numpy as np
from images import shared_images

import workbench.theano as theano
import workbench.theano.tensor as T

BATCH = 100
RATE = 0.2

theano.config.floatX = "float32"


class LogisticRegression:
    """P(class | x) = softmax(x W + b)."""

    def __init__(self, x, n_in, n_out):
        self.W = theano.shared(np.zeros((n_in, n_out), theano.config.floatX), name="W")
        self.b = theano.shared(np.zeros(n_out, theano.config.floatX), name="b")
        self.params = [self.W, self.b]
        self.P = T.nnet.softmax(T.dot(x, self.W) + self.b)
        self.prediction = T.argmax(self.P, axis=1)

    def negative_log_likelihood(self, y):
        return -T.mean(T.log(self.P)[T.arange(y.shape[0]), y])

    def errors(self, y):
        return T.sum(T.neq(self.prediction, y))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--limit", type=int, help="take the first images only")
    options = parser.parse_args(arguments)
    train, validation, test = shared_images(options.limit)

    i, x, y = T.iscalar("i"), T.matrix("x"), T.ivector("y")
    model = LogisticRegression(x, n_in=28 * 28, n_out=10)
    cost = model.negative_log_likelihood(y)
    slopes = T.grad(cost, model.params)
    updates = [(p, p - RATE * slope) for p, slope in zip(model.params, slopes, strict=True)]

    def batch(split):
        rows = slice(i * BATCH, (i + 1) * BATCH)
        return {x: split.images[rows], y: split.labels[rows]}

    learn = theano.function([i], cost, updates=updates, givens=batch(train))
    mistakes = {
        s: theano.function([i], model.errors(y), givens=batch(s)) for s in (validation, test)
    }

    def percent_right(split):
        wrong = sum(int(mistakes[split](k)) for k in split.batches(BATCH))
        return 100 - 100 * wrong / split.count

    start = time.time()
    for epoch in range(1, options.epochs + 1):
        mean = np.mean([learn(k) for k in train.batches(BATCH)])
        right = percent_right(validation)
        print(f"epoch {epoch:2d}: cost {mean:.4f}, {right:.2f} % of validation right")
    right, seconds = percent_right(test), time.time() - start
    print(f"{learn.device.name}: {right:.2f} % of the test images right, {seconds:.1f} s")
    return right


if __name__ == "__main__":
    main()
