# One neuron learns to give 3 for its only data point.
from theano import *
import numpy

inputs = tensor.dvector("inputs")
wanted = tensor.dscalar("wanted")
weights = shared(numpy.asarray([0.5, -0.25, 1.0]), "weights")

given = (weights * inputs).sum()
error = tensor.sqr(wanted - given)
(slope,) = tensor.grad(error, [weights])
step = function([inputs, wanted], given, updates=[(weights, weights - 0.05 * slope)])

given_each_time = []
weights_each_time = []
for repetition in range(8):
    given_each_time.append(step([1.0, 2.0, 0.5], 3.0))
    weights_each_time.append(weights.get_value())
functions = [step]
