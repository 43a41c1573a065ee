"""Train a small network on two spirals: a real training of a few seconds, which knows nothing of capture.

python examples/spirals.py --epochs 12 --lr 0.05
"""

import argparse
import os

# The matrices are small, and threads would only wait for each other.  This has to be said before the import.
for library in ("OMP", "OPENBLAS", "MKL", "VECLIB"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np  # noqa: E402
from tqdm import tqdm  # noqa: E402

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--epochs", type=int, default=12)
options.add_argument("--lr", type=float, default=0.05)
options.add_argument("--batch-size", type=int, default=32)
options.add_argument("--hidden", type=int, default=192)
options.add_argument("--seed", type=int, default=0)
args = options.parse_args()
print(args)
random = np.random.default_rng(args.seed)


def spirals(count):
    """Points on two spirals that turn around each other, and which of the two each is on."""
    label = random.integers(0, 2, count)
    angle = np.sqrt(random.random(count)) * 5 * np.pi
    turn = angle + np.pi * label
    points = np.stack([angle * np.cos(turn), angle * np.sin(turn)], 1) / 15
    return points + random.normal(0, 0.02, points.shape), label


def layer(inputs, outputs):
    return [random.normal(0, np.sqrt(2 / inputs), (inputs, outputs)), np.zeros(outputs)]


def forward(x):
    kept = [x]
    for weights, bias in layers[:-1]:
        kept.append(np.maximum(kept[-1] @ weights + bias, 0))
    scores = kept[-1] @ layers[-1][0] + layers[-1][1]
    odds = np.exp(scores - scores.max(1, keepdims=True))
    return kept, odds / odds.sum(1, keepdims=True)


def measure(x, y):
    share = forward(x)[1]
    return -np.log(share[np.arange(len(y)), y] + 1e-12).mean(), (share.argmax(1) == y).mean()


train_x, train_y = spirals(8000)
val_x, val_y = spirals(2000)
layers = [layer(2, args.hidden), layer(args.hidden, args.hidden), layer(args.hidden, 2)]
speed = [[np.zeros_like(part) for part in one] for one in layers]
batches = len(train_x) // args.batch_size

for epoch in range(1, args.epochs + 1):
    order = random.permutation(len(train_x))
    rate = args.lr * 0.5 * (1 + np.cos(np.pi * (epoch - 1) / args.epochs))
    bar = tqdm(range(batches), desc=f"Epoch {epoch}/{args.epochs}", unit="batch")
    for batch in bar:
        chosen = order[batch * args.batch_size : (batch + 1) * args.batch_size]
        x, y = train_x[chosen], train_y[chosen]
        kept, share = forward(x)
        loss = -np.log(share[np.arange(len(y)), y] + 1e-12).mean()
        slope = share.copy()
        slope[np.arange(len(y)), y] -= 1
        slope /= len(y)
        for one, momentum, below in zip(reversed(layers), reversed(speed), reversed(kept)):
            change = [below.T @ slope, slope.sum(0)]
            slope = (slope @ one[0].T) * (below > 0)
            for part, pace, step in zip(one, momentum, change):
                pace *= 0.9
                pace -= rate * step
                part += pace
        bar.set_postfix(loss=loss, acc=(share.argmax(1) == y).mean(), lr=rate)
    loss, accuracy = measure(val_x, val_y)
    tqdm.write(f"epoch {epoch}: val_loss={loss:.4f} val_acc={accuracy:.2%}")
