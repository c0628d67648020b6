# Two layers of relu that start from unscaled normal weights: probabilities vanish, losses must not.
import theano
import theano.tensor as T
import numpy as np

x = T.matrix("x")
y = T.ivector("y")
sizes = [points.shape[1], 64, 32, 3]
weights = [theano.shared(np.random.randn(m, n), name="W") for m, n in zip(sizes, sizes[1:])]
biases = [theano.shared(np.zeros(n), name="b") for n in sizes[1:]]
h = x
for w, b in zip(weights[:-1], biases[:-1]):
    h = T.nnet.relu(T.dot(h, w) + b)
p = T.nnet.softmax(T.dot(h, weights[-1]) + biases[-1])
loss = T.nnet.categorical_crossentropy(p, y).mean()
updates = [(v, v - 0.01 * T.grad(loss, v)) for v in weights + biases]
train = theano.function(inputs=[x, y], outputs=loss, updates=updates)
losses = [train(points, classes.astype("int32")) for iteration in range(100)]
predict = theano.function(inputs=[x], outputs=T.argmax(p, axis=1))
accuracy = np.mean(predict(points) == classes)

np.savez("parameters.npz", *[v.get_value() for v in weights + biases])
before = predict(points)
loaded = np.load("parameters.npz")
for number, v in enumerate(weights + biases):
    v.set_value(np.zeros_like(v.get_value()))
    v.set_value(loaded["arr_%d" % number])
loaded.close()
same_after_loading = bool((predict(points) == before).all())
functions = [train, predict]
