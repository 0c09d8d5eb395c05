"""The commands about data sets: `thaw datasets add`, `list` and so on."""

import argparse
from pathlib import Path

from engine import api
from engine.cli import formatting
from engine.cli.arguments import Commands, command, complete_files
from engine.cli.console import OK, REFUSED, err, output, request_done
from engine.cli.progress import wait_for_import
from storage import Dataset, Request, Store


def add_to(commands: Commands) -> None:
    """Add these commands to the parser of all."""
    datasets = command(commands, "datasets", list_datasets, "Add, look into, list and delete data sets.")
    inner = datasets.add_subparsers(required=True, metavar="add|fetch|list|show|scan|exclude|include|delete")
    _add_bringing_in(inner)
    command(inner, "list", list_datasets, "List data sets.", as_json=True)
    for name, carry_out, text in (
        ("show", show_dataset, "Show one data set: classes, parts, sizes and what its scan found."),
        ("scan", scan_dataset, "Look through a data set for repeats, leaks, tiny images and the like."),
        ("exclude", exclude_images, "Take images out of a data set; their files stay."),
        ("include", include_images, "Take excluded images back in."),
    ):
        one = command(inner, name, carry_out, text, as_json=True)
        one.add_argument("name", metavar="NAME", help="its name")
        if carry_out in (exclude_images, include_images):
            one.add_argument("image", nargs="+", metavar="IMAGE", help="an image's id, as the scan names it")
    one = command(inner, "delete", delete_dataset, "Delete a data set; a folder on the server stays where it is.")
    one.add_argument("name", metavar="NAME", help="its name")


def _add_bringing_in(inner: Commands) -> None:
    one = command(inner, "add", add_dataset, "Import a folder or zip of class folders, or a CSV.", as_json=True)
    one.add_argument("name", metavar="NAME", help="what to call it")
    complete_files(
        one.add_argument("source", type=Path, metavar="PATH", help="a folder, .zip, or .csv of path,label[,split]")
    )
    one.add_argument("--copy", action="store_true", help="copy the images into Thaw's home; else they stay there")
    one = command(inner, "fetch", fetch_dataset, "Fetch one of torchvision's data sets.", as_json=True)
    fetched = [kind for kind, row in api.DATASET_KINDS.items() if row.fetched]
    one.add_argument("kind", metavar="KIND", help=f"one of {', '.join(fetched)}")
    one.add_argument("--name", help="what to call it (default: KIND)")
    complete_files(one.add_argument("--folder", type=Path, help="where its files lie already, on this machine"))


def add_dataset(store: Store, options: argparse.Namespace) -> int:
    return _bring_in(store, options, api.add_dataset(store, options.name, options.source, copy=options.copy))


def fetch_dataset(store: Store, options: argparse.Namespace) -> int:
    return _bring_in(store, options, api.fetch_dataset(store, options.kind, name=options.name, folder=options.folder))


def scan_dataset(store: Store, options: argparse.Namespace) -> int:
    return _bring_in(store, options, api.scan_dataset(store, options.name))


def _bring_in(store: Store, options: argparse.Namespace, request: Request) -> int:
    api.ensure_supervisor(store.home)
    request = wait_for_import(store, request.id, err)
    if request.state == "refused":
        err.print(f"Refused:\n{request.message}", markup=False)
        return REFUSED
    return _show(store, options, store.datasets.get(request.target))


def show_dataset(store: Store, options: argparse.Namespace) -> int:
    return _show(store, options, api.find_dataset(store, options.name))


def _show(store: Store, options: argparse.Namespace, dataset: Dataset) -> int:
    scan = api.dataset_scan(store, dataset.id)
    output(options, formatting.dataset_object(dataset, scan), formatting.dataset_page(dataset, scan))
    return OK


def exclude_images(store: Store, options: argparse.Namespace) -> int:
    dataset = api.exclude_images(store, options.name, options.image)
    output(options, formatting.dataset_object(dataset), formatting.dataset_page(dataset))
    return OK


def include_images(store: Store, options: argparse.Namespace) -> int:
    dataset = api.include_images(store, options.name, options.image)
    output(options, formatting.dataset_object(dataset), formatting.dataset_page(dataset))
    return OK


def list_datasets(store: Store, options: argparse.Namespace) -> int:
    datasets = store.datasets.list()
    output(options, [formatting.dataset_object(one) for one in datasets], formatting.datasets_table(datasets))
    return OK


def delete_dataset(store: Store, options: argparse.Namespace) -> int:
    return request_done(store, api.delete_dataset(store, options.name), "Deleted", options.name)
