# A hidden layer of tanh with momentum, trained on a ring inside a ring, which no line separates.
from collections import OrderedDict

import theano
from theano import tensor as T
import numpy as np

rng = np.random.RandomState(3)


class Layer(object):
    def __init__(self, input, n_in, n_out, activation):
        bound = np.sqrt(6.0 / (n_in + n_out))
        values = np.asarray(rng.uniform(-bound, bound, (n_in, n_out)), dtype=theano.config.floatX)
        self.W = theano.shared(value=values, name="W", borrow=True)
        self.b = theano.shared(value=np.zeros((n_out,), theano.config.floatX), name="b")
        self.output = activation(T.dot(input, self.W) + self.b)
        self.params = [self.W, self.b]


x = T.matrix("x")
y = T.ivector("y")
rate = T.scalar("rate")
first = Layer(x, 2, 16, T.tanh)
second = Layer(first.output, 16, 2, T.nnet.softmax)
params = first.params + second.params
cost = T.nnet.categorical_crossentropy(second.output, y).mean() + 1e-4 * (first.W**2).sum()
updates = OrderedDict()
for param, slope in zip(params, T.grad(cost, params)):
    velocity = theano.shared(param.get_value() * 0.0, broadcastable=param.broadcastable)
    updates[velocity] = 0.9 * velocity - rate * slope
    updates[param] = param + 0.9 * velocity - rate * slope

train = theano.function(
    [x, y, theano.In(rate, value=0.1)], cost, updates=updates, allow_input_downcast=True
)
errors = theano.function([x, y], T.mean(T.neq(T.argmax(second.output, axis=1), y)))
costs = [train(points, classes) for iteration in range(150)]
costs.append(train(points, y=classes, rate=0.0))
error_rate = errors(points, classes.astype("int32"))
functions = [train, errors]
