"""The commands about the engine as a whole: its supervisor, and how it stands."""

import argparse

from engine import api
from engine.cli import formatting
from engine.cli.arguments import Commands, command
from engine.cli.console import OK, output, request_done
from engine.supervisor import loop
from storage import Home, RunState, SearchState, Store


def add_to(commands: Commands) -> None:
    """Add these commands to the parser of all."""
    text = "Run the engine's supervisor here, until Ctrl-C."
    one = command(commands, "supervise", supervise, text, needs_store=False)
    one.add_argument("--on-demand", action="store_true", help="leave after ten minutes without work")
    command(commands, "status", show_status, "Show the engine, its queue and the machine.", as_json=True)
    command(commands, "shutdown", shut_down, "Stop all runs (each saves first) and the engine.")


def supervise(options: argparse.Namespace) -> int:
    return loop.main(Home.find(), on_demand=options.on_demand)


def show_status(store: Store, options: argparse.Namespace) -> int:
    status = formatting.status_object(store)
    output(options, status, formatting.status_page(status))
    return OK


def shut_down(store: Store, options: argparse.Namespace) -> int:
    runs = store.runs.list(states=[state for state in RunState if not state.is_over], alone=True)
    searches = store.searches.list(states=[state for state in SearchState if not state.is_at_rest])
    if not api.engine_alive(store) and not runs and not searches:
        print("Nothing runs.")
        return OK
    return request_done(store, api.shut_down(store), "All runs stopped, searches paused, and the engine has left")
