-- What the watchdog reads beside the state of sites.

PRAGMA user_version = 3;
UPDATE meta SET value = '3' WHERE key = 'schema';

-- When something was last learned from outside; the engine writes it with its sign of life.
CREATE TABLE learned (
	what TEXT PRIMARY KEY CHECK (what IN ('dns', 'probe', 'ca')),
	at INTEGER
) STRICT, WITHOUT ROWID;

-- Causes that are of the installation and of no site: they stand while their row is there.
CREATE TABLE condition (
	cause TEXT PRIMARY KEY,
	words TEXT NOT NULL,
	since INTEGER,
	seen INTEGER
) STRICT, WITHOUT ROWID;
