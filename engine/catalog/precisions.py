"""Number formats that a network computes in. Weights, gradients and optimiser state stay in fp32."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Precision:
    label: str
    note: str
    autocast: str = ""  # torch dtype that the forward pass is cast to; "": none
    scaled: bool = False  # small gradients would vanish: they are scaled up, as torch.amp.GradScaler does


PRECISIONS: dict[str, Precision] = {
    "auto": Precision("Auto", "Times the formats on your network for a moment and takes the fastest."),
    "fp32": Precision("fp32", "Full precision: slowest, and exact to compare with."),
    "bf16": Precision("bf16", "Half the memory; fast on GPUs since Ampere and on CPUs with AVX-512 BF16.", "bfloat16"),
    "fp16": Precision("fp16", "For older GPUs; gradients are scaled so that none vanish.", "float16", scaled=True),
}
