"""What is chosen for the home as a whole, by name."""

import json
from typing import Any

from storage.transactions import Transactions


class Settings:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def get(self, name: str, default: Any = None) -> Any:
        with self._transactions.reading() as db:
            row = db.execute("SELECT value FROM settings WHERE name = ?", [name]).fetchone()
        return default if row is None else json.loads(row[0])

    def put(self, name: str, value: Any) -> None:
        with self._transactions.transaction() as db:
            db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", [name, json.dumps(value)])
