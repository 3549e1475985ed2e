CREATE TABLE subscription (
    ipei TEXT PRIMARY KEY,
    ipui BLOB NOT NULL,
    uak BLOB NOT NULL,
    dsaa2 INTEGER NOT NULL
) STRICT;

CREATE TABLE location (
    ipei TEXT PRIMARY KEY,
    tpui INTEGER
) STRICT;

CREATE TABLE presence_end (
    ipei TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    ipei TEXT NOT NULL,
    direction TEXT NOT NULL,
    peer TEXT NOT NULL,
    peer_name TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    answered_ms INTEGER,
    ended_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    cause TEXT NOT NULL,
    srtp TEXT
) STRICT;
CREATE INDEX call_of_handset ON call (ipei, id);

CREATE TABLE administrator (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL
) STRICT;

CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    administrator TEXT NOT NULL REFERENCES administrator (name) ON DELETE CASCADE,
    expires_ms INTEGER NOT NULL
) STRICT;
