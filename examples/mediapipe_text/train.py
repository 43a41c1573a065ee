"""Train MediaPipe Model Maker's text classifier on voice commands, export it, and test the exported model.

Knows nothing of capture: `capture -- python train.py --epochs 20`.
"""

import argparse
import csv
import itertools
import random
from pathlib import Path

from mediapipe.tasks.python import text
from mediapipe_model_maker import text_classifier

# What an assistant is asked, by what it should do: each word of one group may stand with each of the next.
COMMANDS = {
    "lights_on": [
        "turn on|switch on|light up|illuminate",
        "the|all|our",
        "lights|lamps|ceiling light",
        "please||now",
    ],
    "lights_off": [
        "turn off|switch off|dim|kill",
        "the|all|our",
        "lights|lamps|ceiling light",
        "please||now",
    ],
    "music": ["play|start|put on|queue", "some|my|the", "music|jazz|favourite songs|radio", "please||now"],
    "timer": [
        "set|start|make",
        "a|another|my",
        "timer|alarm|countdown",
        "for ten minutes|for an hour|please",
    ],
    "weather": [
        "what is|tell me|how is",
        "the|tomorrow's|today's",
        "weather|forecast|temperature",
        "please||outside",
    ],
}


def make_data(folder: Path, seed: int, noise: float) -> tuple[Path, Path, list[dict[str, str]]]:
    """Write training and validation data as CSV files; return them, and the test data.

    `noise` is the share of commands in which two words are exchanged for those of other commands.
    """
    chance = random.Random(seed)  # noqa: S311
    rows = []
    for label, groups in COMMANDS.items():
        for words in itertools.product(*(group.split("|") for group in groups)):
            rows.append({"text": " ".join(filter(None, words)), "label": label})
    words = sorted({word for row in rows for word in row["text"].split()})
    for row in rows:
        if chance.random() < noise:
            said = row["text"].split()
            for place in chance.sample(range(len(said)), 2):
                said[place] = chance.choice(words)
            row["text"] = " ".join(said)
    chance.shuffle(rows)
    parts = {
        "train": rows[: len(rows) * 6 // 10],
        "validation": rows[len(rows) * 6 // 10 : len(rows) * 8 // 10],
    }
    for name, part in parts.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["text", "label"])
            writer.writeheader()
            writer.writerows(part)
    return folder / "train.csv", folder / "validation.csv", rows[len(rows) * 8 // 10 :]


def train(train_csv: Path, validation_csv: Path, folder: Path, settings: argparse.Namespace) -> Path:
    """Train on the CSV files and export the model into the folder.  Returns its path."""
    parameters = text_classifier.CSVParams(text_column="text", label_column="label")
    data, validation = (
        text_classifier.Dataset.from_csv(str(path), parameters) for path in (train_csv, validation_csv)
    )
    options = text_classifier.TextClassifierOptions(
        supported_model=text_classifier.SupportedModels.AVERAGE_WORD_EMBEDDING_CLASSIFIER,
        model_options=text_classifier.AverageWordEmbeddingModelOptions(seq_len=settings.length),
        hparams=text_classifier.AverageWordEmbeddingHParams(
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            export_dir=str(folder),
        ),
    )
    model = text_classifier.TextClassifier.create(data, validation, options)
    model.export_model("commands.tflite")
    return folder / "commands.tflite"


def test(model: Path, rows: list[dict[str, str]]) -> list[tuple[str, str, str, float]]:
    """Classify the test data by the exported model.  Returns text, label, prediction and score of each."""
    results = []
    with text.TextClassifier.create_from_model_path(str(model)) as classifier:
        for row in rows:
            best = classifier.classify(row["text"]).classifications[0].categories[0]
            results.append((row["text"], row["label"], best.category_name, best.score))
    return results


def arguments() -> argparse.ArgumentParser:
    """The options of the training."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--length", type=int, default=16, help="words of a command that are looked at")
    parser.add_argument("--noise", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("exported"))
    return parser


def main() -> None:
    """Make the data, train, export and test."""
    settings = arguments().parse_args()
    settings.out.mkdir(exist_ok=True)
    train_csv, validation_csv, rows = make_data(settings.out, settings.seed, settings.noise)
    model = train(train_csv, validation_csv, settings.out, settings)
    results = test(model, rows)
    right = sum(label == predicted for _, label, predicted, _ in results)
    print(f"test accuracy: {right / len(results):.4f}")
    with (settings.out / "results.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "prediction", "score"])
        writer.writerows(results)


if __name__ == "__main__":
    main()
