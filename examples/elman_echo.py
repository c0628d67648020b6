"""An Elman network learns to repeat what it heard five steps ago.

At each step it gets a bit and must say the bit of five steps before, so its hidden units have to
carry five bits along. Sequences are new at every iteration. It ends when it echoes a thousand
sequences that it has never heard without a mistake.

    python examples/elman_echo.py

`WORKBENCH_DEVICE` chooses the device.
"""

import sys
import time

import numpy as np

import workbench.theano as theano
import workbench.theano.tensor as T

DELAY = 5
STEPS = 20
BATCH = 50
HIDDEN = 30
MOST_ITERATIONS = 3000

theano.config.floatX = "float32"
rng = np.random.RandomState(1)


def weights(n_in, n_out, name):
    values = rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_out))
    return theano.shared(values.astype(theano.config.floatX), name=name)


def zeros(n, name):
    return theano.shared(np.zeros(n, theano.config.floatX), name=name)


class Elman:
    """h[t] = tanh(x[t] W_in + h[t-1] W + b), and a probability from h[t] at each step."""

    def __init__(self, x):
        self.W_in = weights(1, HIDDEN, "W_in")
        self.W = weights(HIDDEN, HIDDEN, "W")
        self.b = zeros(HIDDEN, "b")
        self.W_out = weights(HIDDEN, 1, "W_out")
        self.b_out = zeros(1, "b_out")
        self.params = [self.W_in, self.W, self.b, self.W_out, self.b_out]

        def step(x_t, h_before):
            return T.tanh(T.dot(x_t, self.W_in) + T.dot(h_before, self.W) + self.b)

        h, _ = theano.scan(
            step, sequences=x, outputs_info=T.alloc(np.float32(0), x.shape[1], HIDDEN)
        )
        self.output = T.nnet.sigmoid(T.dot(h, self.W_out) + self.b_out)


def rmsprop(cost, params, rate=0.003, decay=0.9):
    updates = []
    for param, slope in zip(params, T.grad(cost, params), strict=True):
        square = theano.shared(np.zeros_like(param.get_value()))
        new = decay * square + (1 - decay) * slope**2
        updates += [(square, new), (param, param - rate * slope / T.sqrt(new + 1e-6))]
    return updates


def sequences(count):
    bits = rng.randint(0, 2, (STEPS, count, 1)).astype(theano.config.floatX)
    return 2 * bits - 1, bits[:-DELAY]


def main():
    x, echo = T.tensor3("x"), T.tensor3("echo")
    network = Elman(x)
    said = network.output[DELAY:]
    cost = T.nnet.binary_crossentropy(said, echo).mean()
    mistakes = T.sum(T.neq(said > 0.5, echo > 0.5))

    train = theano.function([x, echo], cost, updates=rmsprop(cost, network.params))
    test = theano.function([x, echo], mistakes)
    unheard = sequences(1000)

    start = time.time()
    for iteration in range(1, MOST_ITERATIONS + 1):
        loss = train(*sequences(BATCH))
        if iteration % 100 == 0:
            wrong = int(test(*unheard))
            print(f"iteration {iteration:4d}: cost {float(loss):.4f}, {wrong} wrong bits")
            if not wrong:
                break
    seconds = time.time() - start
    print(f"{train.device.name}: {wrong} of {unheard[1].size} bits wrong, {seconds:.1f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
