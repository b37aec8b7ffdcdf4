"""The file's tables, and how an older file is brought up to date.

Truth: ``commits``, ``log``, ``spaces``, ``jobs`` and ``spending``. Everything else is
derived from the log and can be rebuilt from it: ``rows``, ``rests_on``, ``merged``, ``links``,
``usage``, ``terms``, ``vectors`` and, with the model that they are for, ``forms``.
The number of a log entry is also the row number of its version in every derived table.
"""

import sqlite3

APPLICATION_ID = 0x656E6772  # "engr"
FORMAT = 2

TRUTH = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE spaces(
  space INTEGER PRIMARY KEY, app TEXT NOT NULL, user TEXT NOT NULL, UNIQUE(app, user));
CREATE TABLE commits(
  number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at REAL NOT NULL, actor TEXT NOT NULL,
  method TEXT NOT NULL, reason TEXT NOT NULL, chain BLOB NOT NULL);
CREATE TABLE log(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, commit_number INTEGER NOT NULL, op TEXT NOT NULL,
  space INTEGER NOT NULL, record TEXT, version INTEGER, body TEXT, digest BLOB NOT NULL);
CREATE INDEX log_record ON log(record, version);
CREATE INDEX log_commit ON log(commit_number);
CREATE TABLE jobs(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, owner TEXT,
  lease_until REAL NOT NULL DEFAULT 0, UNIQUE(kind, key));
CREATE TABLE spending(
  app TEXT NOT NULL, user TEXT NOT NULL, day INTEGER NOT NULL, calls INTEGER NOT NULL,
  tokens INTEGER NOT NULL, cost REAL NOT NULL, PRIMARY KEY(app, user, day)) WITHOUT ROWID;
CREATE TABLE embedders(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dimension INTEGER NOT NULL);
"""

DERIVED = """
CREATE TABLE rows(
  row INTEGER PRIMARY KEY, record TEXT NOT NULL, version INTEGER NOT NULL, space INTEGER NOT NULL,
  state TEXT NOT NULL, kind TEXT NOT NULL, run TEXT, agent TEXT, speaker TEXT,
  event REAL, valid_from REAL, valid_to REAL, known_from REAL NOT NULL, known_to REAL,
  expires REAL, replaced INTEGER NOT NULL, frozen INTEGER NOT NULL, length INTEGER NOT NULL,
  content INTEGER NOT NULL, asks INTEGER NOT NULL,
  source TEXT, fact TEXT, same BLOB, digest BLOB NOT NULL);
CREATE UNIQUE INDEX rows_record ON rows(record, version);
CREATE INDEX rows_space ON rows(space, row);
CREATE INDEX rows_fact ON rows(space, fact) WHERE fact IS NOT NULL AND known_to IS NULL;
CREATE INDEX rows_same ON rows(space, same, event) WHERE same IS NOT NULL AND known_to IS NULL;
CREATE INDEX rows_expiry ON rows(expires) WHERE expires IS NOT NULL AND known_to IS NULL;
CREATE TABLE rests_on(
  source TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY(source, record)) WITHOUT ROWID;
CREATE TABLE merged(record TEXT PRIMARY KEY, into_record TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX merged_into ON merged(into_record);
CREATE TABLE usage(
  record TEXT PRIMARY KEY, uses INTEGER NOT NULL, last_used REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE links(
  source TEXT NOT NULL, target TEXT NOT NULL, space INTEGER NOT NULL,
  PRIMARY KEY(source, target)) WITHOUT ROWID;
CREATE INDEX links_space ON links(space);
CREATE VIRTUAL TABLE terms USING fts5(words, content='', tokenize="ascii tokenchars '_'");
CREATE VIRTUAL TABLE postings USING fts5vocab(terms, instance);
"""

VECTORS = """
CREATE TABLE vectors(
  row INTEGER NOT NULL, embedder INTEGER NOT NULL, space INTEGER NOT NULL, vector BLOB NOT NULL,
  PRIMARY KEY(space, embedder, row)) WITHOUT ROWID;
"""

FORMS = """
CREATE TABLE forms(
  id TEXT PRIMARY KEY, space INTEGER NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL,
  preset TEXT NOT NULL, method TEXT NOT NULL, state TEXT NOT NULL, tokens INTEGER NOT NULL,
  size INTEGER NOT NULL, file TEXT NOT NULL, checksum BLOB NOT NULL, chain BLOB NOT NULL,
  made REAL NOT NULL, uses INTEGER NOT NULL, last_used REAL) WITHOUT ROWID;
CREATE TABLE form_records(
  form TEXT NOT NULL, place INTEGER NOT NULL, record TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY(form, place)) WITHOUT ROWID;
CREATE INDEX form_records_record ON form_records(record);
"""

DROP_DERIVED = """
DROP TABLE IF EXISTS postings;
DROP TABLE IF EXISTS terms;
DROP TABLE IF EXISTS links;
DROP TABLE IF EXISTS usage;
DROP TABLE IF EXISTS merged;
DROP TABLE IF EXISTS rests_on;
DROP TABLE IF EXISTS rows;
"""

MIGRATIONS: dict[int, str] = {1: FORMS}
"""Format n -> the script that makes it n + 1. Runs in one transaction after a backup."""


def run(db: sqlite3.Connection, script: str) -> None:
    """Run statements inside the open transaction (``executescript`` would commit it)."""
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
