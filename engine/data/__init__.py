"""From files to tensors: decode, import, split, caches and batches."""

from engine.data.source import Source, open_source

__all__ = ["Source", "open_source"]
