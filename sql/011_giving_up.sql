-- A site whose owner gave free SSL up: what the setting was before, so that it can be taken back.
CREATE TABLE given_up (
	site_id INTEGER PRIMARY KEY REFERENCES site (id),
	at INTEGER NOT NULL,
	by TEXT NOT NULL,
	redirect INTEGER NOT NULL CHECK (redirect IN (0, 1)),
	hsts INTEGER NOT NULL CHECK (hsts IN (0, 1))
) STRICT;
UPDATE meta SET value = '11' WHERE key = 'schema';
PRAGMA user_version = 11;
