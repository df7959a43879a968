-- The owner's own certificate. takeover: its owner agrees that free SSL takes its place by itself, shortly before its end.
ALTER TABLE setting ADD COLUMN takeover INTEGER NOT NULL DEFAULT 0 CHECK (takeover IN (0, 1));
ALTER TABLE draft ADD COLUMN takeover INTEGER NOT NULL DEFAULT 0 CHECK (takeover IN (0, 1));
ALTER TABLE site ADD COLUMN held_is_own INTEGER NOT NULL DEFAULT 0 CHECK (held_is_own IN (0, 1));
ALTER TABLE certificate ADD COLUMN is_own INTEGER NOT NULL DEFAULT 0 CHECK (is_own IN (0, 1));

-- What owners brought of an issuer completes the next file of that issuer.
CREATE INDEX certificate_own ON certificate (issuer) WHERE is_own = 1;

-- Requests for certificates that owners buy elsewhere. Each has a key of its own, sealed, which waits a year for its certificate;
-- key_id, the SHA-256 of the public key (SubjectPublicKeyInfo), tells which request a certificate answers.
CREATE TABLE csr (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	site_id INTEGER NOT NULL REFERENCES site (id),
	key_type TEXT NOT NULL CHECK (key_type IN ('p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096')),
	names TEXT NOT NULL,
	csr_der BLOB NOT NULL,
	sealed_key BLOB NOT NULL,
	key_id BLOB NOT NULL CHECK (length(key_id) = 32),
	created INTEGER NOT NULL,
	by TEXT NOT NULL,
	answered INTEGER, -- its certificate came; the key stays for the year, because issuers make certificates for a request anew
	UNIQUE (site_id, key_id)
) STRICT;
CREATE INDEX csr_created ON csr (created);

-- The wish of an owner: the own certificate that was stored is to be used.
CREATE TABLE wish_new (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	site_id INTEGER NOT NULL REFERENCES site (id),
	kind TEXT NOT NULL CHECK (kind IN ('check', 'renew', 'changed', 'removed', 'resumed', 'imported')),
	at INTEGER,
	UNIQUE (site_id, kind)
) STRICT;
INSERT INTO wish_new (id, site_id, kind, at) SELECT id, site_id, kind, at FROM wish;
-- Numbers are never used again: also those of wishes that were done.
DELETE FROM sqlite_sequence WHERE name = 'wish_new';
INSERT INTO sqlite_sequence (name, seq) SELECT 'wish_new', seq FROM sqlite_sequence WHERE name = 'wish';
DROP TABLE wish;
ALTER TABLE wish_new RENAME TO wish;

UPDATE meta SET value = '17' WHERE key = 'schema';
PRAGMA user_version = 17;
