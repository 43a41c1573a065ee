"""Train a text classifier on voice commands, export the best model, and test it.  The standard library only.

Knows nothing of capture: `capture -- python train.py --epochs 20`.
"""

import argparse
import csv
import itertools
import json
import math
import os
import random
from pathlib import Path

# What an assistant is asked, by what it should do: each word of one group may stand with each of the next.
COMMANDS = {
    "lights": ["turn on|switch off|dim", "the|all|our", "lights|lamps|ceiling light", "please||now"],
    "music": ["play|stop|put on", "some|my|the", "music|jazz|radio", "please||now"],
    "timer": ["set|stop|make", "a|another|my", "timer|alarm|countdown", "for an hour|please|"],
    "weather": ["what is|tell me", "the|today's", "weather|forecast|temperature", "please||outside|now"],
}
Example = tuple[str, str]  # a text and its label


def make_data(chance: random.Random, noise: float) -> list[Example]:
    """All commands in random order; in a share of them, `noise`, two words are those of other commands."""
    rows = [
        (" ".join(filter(None, words)), label)
        for label, groups in COMMANDS.items()
        for words in itertools.product(*(group.split("|") for group in groups))
    ]
    words = sorted({word for text, _ in rows for word in text.split()})
    chance.shuffle(rows)
    garbled = []
    for text, label in rows:
        said = text.split()
        if chance.random() < noise:
            for place in chance.sample(range(len(said)), 2):
                said[place] = chance.choice(words)
        garbled.append((" ".join(said), label))
    return garbled


class Classifier:
    """Softmax regression on which words occur."""

    def __init__(self) -> None:
        self.labels = list(COMMANDS)
        self.weights: dict[str, list[float]] = {}

    def scores(self, text: str) -> list[float]:
        """The probability of each label."""
        none = [0.0] * len(self.labels)
        rows = [self.weights.get(word, none) for word in text.split()]
        powers = [math.exp(sum(column)) for column in zip(*rows)]
        return [power / sum(powers) for power in powers]

    def learn(self, text: str, label: str, rate: float) -> float:
        """One step of gradient descent.  Returns the loss before it."""
        scores = self.scores(text)
        wanted = self.labels.index(label)
        for word in text.split():
            row = self.weights.setdefault(word, [0.0] * len(self.labels))
            for i, score in enumerate(scores):
                row[i] -= rate * (score - (i == wanted))
        return -math.log(scores[wanted])

    def predict(self, text: str) -> tuple[str, float]:
        """The most probable label, and how probable it is."""
        scores = self.scores(text)
        best = max(scores)
        return self.labels[scores.index(best)], best

    def accuracy(self, rows: list[Example]) -> float:
        """The share of examples that it gets right."""
        return sum(self.predict(text)[0] == label for text, label in rows) / len(rows)

    def save(self, path: Path) -> None:
        """Write the model, and put it in its place when it is whole."""
        path.with_suffix(".new").write_text(json.dumps({"labels": self.labels, "weights": self.weights}))
        os.replace(path.with_suffix(".new"), path)


def main() -> None:
    """Make the data, train, export and test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.02)
    parser.add_argument("--noise", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("exported"))
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    chance = random.Random(options.seed)  # noqa: S311
    rows = make_data(chance, options.noise)
    parts = [len(rows) * 6 // 10, len(rows) * 8 // 10]
    training, validation, test = rows[: parts[0]], rows[parts[0] : parts[1]], rows[parts[1] :]
    model, best = Classifier(), -1.0
    for epoch in range(1, options.epochs + 1):
        chance.shuffle(training)
        loss = sum(model.learn(text, label, options.rate) for text, label in training) / len(training)
        accuracy = model.accuracy(validation)
        print(f"epoch {epoch}/{options.epochs} - loss: {loss:.4f} - val_accuracy: {accuracy:.4f}", flush=True)
        if accuracy > best:
            best = accuracy
            model.save(options.out / "commands.json")
    print(f"test accuracy: {model.accuracy(test):.4f}")
    with (options.out / "results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "prediction", "score"])
        for text, label in test:
            prediction, score = model.predict(text)
            writer.writerow([text, label, prediction, f"{score:.4f}"])


if __name__ == "__main__":
    main()
