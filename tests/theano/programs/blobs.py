# Softmax regression on clouds of points: full batch, then by symbolic index into shared data.
import theano
import theano.tensor as T
import numpy as np

train_x = theano.shared(points.astype("float64"), borrow=True)
train_y = theano.shared(classes.astype("int32"))

x = T.dmatrix("x")
y = T.ivector("y")
weight = theano.shared(np.zeros([points.shape[1], 3]), name="weight")
bias = theano.shared(np.zeros(3), name="bias")
p = T.nnet.softmax(T.dot(x, weight) + bias)
score = T.mean(T.log(p)[T.arange(y.shape[0]), y])
changes = [[v, v + 0.5 * T.grad(score, v)] for v in (weight, bias)]

whole = theano.function([], score, updates=changes, givens={x: train_x, y: train_y})
scores = [whole() for iteration in range(10)]

i = T.lscalar("i")
rows = slice(i * 20, (i + 1) * 20)
part = theano.function([i], score, updates=changes, givens=[(x, train_x[rows]), (y, train_y[rows])])
for epoch in range(3):
    for number in range(len(points) // 20):
        part(number)

guess = theano.function([], T.argmax(p, axis=1), givens={x: train_x})
error_percent = 100 * np.mean(guess() != train_y.get_value())
final_weight = weight.get_value()
functions = [whole, part, guess]
