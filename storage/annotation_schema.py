"""What schema 5 adds: what users write on runs, where runs came from that were not trained here, settings of the home,
and indices for what pages ask of homes with thousands of runs."""

SCHEMA_5 = (
    "ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE runs ADD COLUMN about TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN archived_at REAL",
    "ALTER TABLE runs ADD COLUMN source TEXT",
    """
    CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # all tags, and runs of none: read from the index alone
    "CREATE INDEX runs_tagged ON runs(tags) WHERE tags != '[]'",
    "CREATE INDEX runs_archived ON runs(archived_at) WHERE archived_at IS NOT NULL",
    # the lists that leave trials out, and how many there are in each state
    "CREATE INDEX runs_alone ON runs(created_at) WHERE search_id IS NULL",
    "CREATE INDEX runs_alone_state ON runs(state) WHERE search_id IS NULL",
    "CREATE INDEX runs_dataset ON runs(dataset_id, created_at)",
    "CREATE INDEX events_warnings ON events(run_id, id) WHERE level = 'warning'",
)
