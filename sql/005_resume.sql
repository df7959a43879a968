-- The wish of an operator: the CA takes a site's paused names again.
CREATE TABLE wish_new (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	site_id INTEGER NOT NULL REFERENCES site (id),
	kind TEXT NOT NULL CHECK (kind IN ('check', 'renew', 'changed', 'removed', 'resumed')),
	at INTEGER,
	UNIQUE (site_id, kind)
) STRICT;
INSERT INTO wish_new (id, site_id, kind, at) SELECT id, site_id, kind, at FROM wish;
-- Numbers are never used again: also those of wishes that were done.
DELETE FROM sqlite_sequence WHERE name = 'wish_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'wish_new', seq FROM sqlite_sequence WHERE name = 'wish';
DROP TABLE wish;
ALTER TABLE wish_new RENAME TO wish;

UPDATE meta SET value = '5' WHERE key = 'schema';
PRAGMA user_version = 5;
