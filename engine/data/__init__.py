"""From files to tensors: decode, import, split, caches and batches."""

from engine.data.sources.base import Source, open_source

__all__ = ["Source", "open_source"]
