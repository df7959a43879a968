-- What the last good check of a name saw, and what the last one saw since.
CREATE TABLE sighting (
	name_id INTEGER NOT NULL REFERENCES name (id),
	is_good INTEGER NOT NULL CHECK (is_good IN (0, 1)),
	at INTEGER NOT NULL,
	nameservers TEXT NOT NULL,
	addresses TEXT NOT NULL,
	ours TEXT NOT NULL,
	caa TEXT NOT NULL,
	server TEXT NOT NULL,
	issuer TEXT NOT NULL,
	redirect TEXT NOT NULL,
	PRIMARY KEY (name_id, is_good)
) STRICT, WITHOUT ROWID;
UPDATE meta SET value = '20' WHERE key = 'schema';
PRAGMA user_version = 20;
