"""A LeNet learns digits: two stages of convolution and pooling, and two full layers.

    python examples/lenet.py [--epochs 3] [--limit 20000]

`WORKBENCH_DEVICE` chooses the device.
"""

import argparse
import time

import numpy as np
from images import shared_images

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.theano.tensor.nnet import conv2d
from workbench.theano.tensor.signal.pool import pool_2d

BATCH = 50
FILTERS = (16, 32)
HIDDEN = 128
RATE = 0.05
MOMENTUM = 0.9

theano.config.floatX = "float32"
rng = np.random.RandomState(1)


def weights(*shape, n_in):
    values = rng.normal(0, np.sqrt(2 / n_in), shape)
    return theano.shared(values.astype(theano.config.floatX))


def zeros(n):
    return theano.shared(np.zeros(n, theano.config.floatX))


class LeNet:
    """28 x 28 pixels -> 24 -> 12 -> 8 -> 4 -> full -> softmax."""

    def __init__(self, x):
        self.params, channels = [], 1
        stage = x.reshape((-1, 1, 28, 28))
        for n in FILTERS:
            W, b = weights(n, channels, 5, 5, n_in=channels * 25), zeros(n)
            stage = pool_2d(conv2d(stage, W), ws=(2, 2), ignore_border=True)
            stage = T.nnet.relu(stage + b.dimshuffle("x", 0, "x", "x"))
            self.params += [W, b]
            channels = n
        n_in = channels * 4 * 4
        W, b = weights(n_in, HIDDEN, n_in=n_in), zeros(HIDDEN)
        W_out, b_out = weights(HIDDEN, 10, n_in=HIDDEN), zeros(10)
        hidden = T.nnet.relu(T.dot(stage.flatten(2), W) + b)
        self.P = T.nnet.softmax(T.dot(hidden, W_out) + b_out)
        self.params += [W, b, W_out, b_out]


def momentum(cost, params, rate):
    updates = []
    for param, slope in zip(params, T.grad(cost, params), strict=True):
        velocity = theano.shared(np.zeros_like(param.get_value()))
        new = MOMENTUM * velocity - rate * slope
        updates += [(velocity, new), (param, param + new)]
    return updates


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--limit", type=int, default=20_000, help="take the first images only")
    options = parser.parse_args(arguments)
    train, _, test = shared_images(options.limit)

    i, x, y = T.iscalar("i"), T.matrix("x"), T.ivector("y")
    network = LeNet(x)
    cost = T.nnet.categorical_crossentropy(network.P, y).mean()
    errors = T.sum(T.neq(T.argmax(network.P, axis=1), y))

    def batch(split):
        rows = slice(i * BATCH, (i + 1) * BATCH)
        return {x: split.images[rows], y: split.labels[rows]}

    # Halved after each epoch, so that the last steps are small.
    rate = theano.shared(np.asarray(RATE, theano.config.floatX), "rate")
    updates = momentum(cost, network.params, rate)
    learn = theano.function([i], cost, updates=updates, givens=batch(train))
    mistakes = theano.function([i], errors, givens=batch(test))

    start = time.time()
    for epoch in range(1, options.epochs + 1):
        mean = np.mean([learn(k) for k in train.batches(BATCH)])
        print(f"epoch {epoch}: cost {mean:.4f}, {time.time() - start:.1f} s")
        rate.set_value(rate.get_value() / 2)
    wrong = sum(int(mistakes(k)) for k in test.batches(BATCH))
    right, seconds = 100 - 100 * wrong / test.count, time.time() - start
    print(f"{learn.device.name}: {right:.2f} % of the test images right, {seconds:.1f} s")
    return right


if __name__ == "__main__":
    main()
