"""A network of two layers learns with momentum and dropout.

While it learns, every hidden unit is silent half of the time, as random streams on the device
decide; the others speak twice as loud, so that nothing need be scaled when all speak.

    python examples/momentum_dropout.py [--epochs 20] [--limit 50000]

`WORKBENCH_DEVICE` chooses the device.
"""

import argparse
import time

import numpy as np
from images import shared_images

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.theano.tensor.shared_randomstreams import RandomStreams

BATCH = 100
HIDDEN = 512
RATE = 0.1
RATE_DECAY = 0.9
MOMENTUM = 0.9
DROPOUT = 0.5

theano.config.floatX = "float32"
rng = np.random.RandomState(1)
streams = RandomStreams(1)


def layer(n_in, n_out, name):
    W = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)).astype(theano.config.floatX)
    b = np.zeros(n_out, theano.config.floatX)
    return theano.shared(W, name=f"W_{name}"), theano.shared(b, name=f"b_{name}")


def dropped(h):
    mask = streams.binomial(size=h.shape, p=1 - DROPOUT, dtype=theano.config.floatX)
    return h * mask / (1 - DROPOUT)


def momentum(cost, params, rate):
    updates = []
    for param, slope in zip(params, T.grad(cost, params), strict=True):
        velocity = theano.shared(np.zeros_like(param.get_value()))
        new = MOMENTUM * velocity - rate * slope
        updates += [(velocity, new), (param, param + new)]
    return updates


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--limit", type=int, help="take the first images only")
    options = parser.parse_args(arguments)
    train, validation, test = shared_images(options.limit)

    i, rate, x, y = T.iscalar("i"), T.scalar("rate"), T.matrix("x"), T.ivector("y")
    W_1, b_1 = layer(28 * 28, HIDDEN, "1")
    W_2, b_2 = layer(HIDDEN, 10, "2")
    hidden = T.nnet.relu(T.dot(x, W_1) + b_1)
    learning = T.nnet.softmax(T.dot(dropped(hidden), W_2) + b_2)
    resting = T.nnet.softmax(T.dot(hidden, W_2) + b_2)
    cost = T.nnet.categorical_crossentropy(learning, y).mean()
    errors = T.sum(T.neq(T.argmax(resting, axis=1), y))

    def batch(split):
        rows = slice(i * BATCH, (i + 1) * BATCH)
        return {x: split.images[rows], y: split.labels[rows]}

    updates = momentum(cost, [W_1, b_1, W_2, b_2], rate)
    learn = theano.function([i, rate], cost, updates=updates, givens=batch(train))
    mistakes = {s: theano.function([i], errors, givens=batch(s)) for s in (validation, test)}

    def percent_right(split):
        wrong = sum(int(mistakes[split](k)) for k in split.batches(BATCH))
        return 100 - 100 * wrong / split.count

    start = time.time()
    for epoch in range(1, options.epochs + 1):
        now = RATE * RATE_DECAY ** (epoch - 1)
        mean = np.mean([learn(k, now) for k in train.batches(BATCH)])
        right = percent_right(validation)
        print(f"epoch {epoch:2d}: cost {mean:.4f}, {right:.2f} % of validation right")
    right, seconds = percent_right(test), time.time() - start
    print(f"{learn.device.name}: {right:.2f} % of the test images right, {seconds:.1f} s")
    return right


if __name__ == "__main__":
    main()
