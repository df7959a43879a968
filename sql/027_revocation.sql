-- A site whose owner wants its key destroyed and its certificate revoked: until our redirect has let go.
ALTER TABLE site ADD COLUMN is_revoking INTEGER NOT NULL DEFAULT 0 CHECK (is_revoking IN (0, 1));

-- Certificates that were given up for good. destroyed_at: no key of it is in this store any more. next_try: the CA is asked then;
-- NULL: before that, or not any more. revoked_at: the CA has confirmed it.
CREATE TABLE revocation (
	certificate_id INTEGER PRIMARY KEY REFERENCES certificate (id),
	site_id INTEGER NOT NULL REFERENCES site (id),
	reason TEXT NOT NULL CHECK (reason IN ('unspecified', 'key-compromise', 'cessation')),
	by TEXT NOT NULL,
	asked_at INTEGER NOT NULL,
	destroyed_at INTEGER,
	next_try INTEGER,
	tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
	revoked_at INTEGER,
	error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX revocation_site ON revocation (site_id, certificate_id);
CREATE INDEX revocation_due ON revocation (next_try) WHERE next_try IS NOT NULL;

-- Keys that were made for orders go with it.
CREATE INDEX orders_site ON orders (site_id);

-- The wish of an owner for that.
CREATE TABLE wish_new (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	site_id INTEGER NOT NULL REFERENCES site (id),
	kind TEXT NOT NULL CHECK (kind IN ('check', 'renew', 'changed', 'removed', 'resumed', 'imported', 'revoked')),
	at INTEGER,
	UNIQUE (site_id, kind)
) STRICT;
INSERT INTO wish_new (id, site_id, kind, at) SELECT id, site_id, kind, at FROM wish;
-- Numbers are never used again: also those of wishes that were done.
DELETE FROM sqlite_sequence WHERE name = 'wish_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'wish_new', seq FROM sqlite_sequence WHERE name = 'wish';
DROP TABLE wish;
ALTER TABLE wish_new RENAME TO wish;

UPDATE meta SET value = '27' WHERE key = 'schema';
PRAGMA user_version = 27;
