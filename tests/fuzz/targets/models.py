"""The trees of a model, with a card that fits them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from random import Random

from tests.fuzz.harness import Target
from tests.fuzz.mutations import mutate_file
from tests.fuzz.targets import cards

_ODD = ("-1", "0", "1", "99999999", "-2", "1e400", "nan", "inf", "x", "", "1 2", "2147483648")


def mutate(rng: Random, folder: Path) -> set | None:
    path, card_path = folder / "model" / "model.txt", folder / "model" / "card.json"
    before = path.read_bytes()
    if rng.random() < 0.4:
        mutate_file(rng, path)
    else:
        _mutate_numbers(rng, path)
    content = path.read_bytes()
    # Without the right hash, changed trees must be refused.
    if rng.random() < 0.9:
        card = json.loads(card_path.read_bytes())
        card["model"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        card_path.write_text(json.dumps(card))
        return set() if content == before else None
    return set()


def _mutate_numbers(rng, path):
    """Replace some numbers, and correct the lengths of the trees."""
    text = path.read_text()
    numbers = list(re.finditer(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", text))
    for number in sorted(rng.sample(numbers, rng.choice((1, 2, 5))), key=lambda n: -n.start()):
        new = rng.choice((*_ODD, rng.choice(numbers)[0]))
        text = text[: number.start()] + new + text[number.end() :]
    blocks = re.split(r"(?m)^(?=Tree=)", text.partition("end of trees\n")[0])
    sizes = " ".join(str(len(block)) for block in blocks[1:])
    path.write_text(re.sub(r"(?m)^tree_sizes=.*$", f"tree_sizes={sizes}", text, count=1))


TARGET = Target(cards.prepare, mutate, cards.predictions_of)
