"""The Ray Tune script that people write after its PyTorch tutorial: `python -m benchmarks.ray_script <what> <photos>
<trials> <epochs> <result.json>`; what: head, or full."""

import json
import sys
import time
from pathlib import Path

import ray
from ray import tune

from benchmarks import tutorial

CORES = 2


def train_photos(config: dict[str, object]) -> None:
    import torch

    torch.set_num_threads(1)
    model = tutorial.network(head_only=config["what"] == "head")
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    moves = torch.optim.AdamW(learning, lr=float(str(config["lr"])))
    both = tutorial.loaders(Path(str(config["photos"])), 64, int(str(config["batch_size"])), 0)
    for _ in range(int(str(config["epochs"]))):
        tutorial.train(model, both["train"], moves)
        tune.report({"accuracy": tutorial.evaluate(model, both["validation"]), "told_at": time.time()})


def main() -> None:
    what, photos, trials, epochs, result = sys.argv[1:]
    ray.init(num_cpus=CORES, include_dashboard=False, log_to_driver=False)
    space = {
        "what": what,
        "photos": photos,
        "epochs": int(epochs),
        "lr": tune.loguniform(1e-4, 1e-1 if what == "head" else 1e-2),
        "batch_size": tune.choice([32, 64, 128]),
    }
    began = time.time()
    tuner = tune.Tuner(
        tune.with_resources(train_photos, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(metric="accuracy", mode="max", num_samples=int(trials)),
        run_config=tune.RunConfig(storage_path=str(Path(result).parent / "results"), verbose=0),
    )
    found = tuner.fit()
    tables = [table for place in range(len(found)) if (table := found[place].metrics_dataframe) is not None]
    first = min(one["told_at"].min() for one in tables)
    best = max(one["accuracy"].max() for one in tables)
    Path(result).write_text(json.dumps({"best": float(best), "first_s": float(first) - began}))


if __name__ == "__main__":
    main()
