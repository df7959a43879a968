-- Passkeys of people, and the challenges that were given out for one.
CREATE TABLE passkey (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	person_id INTEGER NOT NULL REFERENCES person (id) ON DELETE CASCADE,
	credential BLOB NOT NULL UNIQUE,
	algorithm INTEGER NOT NULL, -- COSE
	key BLOB NOT NULL, -- public
	count INTEGER NOT NULL CHECK (count >= 0), -- as the authenticator said last
	name TEXT NOT NULL,
	created INTEGER NOT NULL,
	used INTEGER
) STRICT;
CREATE INDEX passkey_person ON passkey (person_id);
CREATE TABLE challenge (
	digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
	-- The session that makes a passkey; NULL: somebody signs in.
	session_id INTEGER REFERENCES session (id) ON DELETE CASCADE,
	ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX challenge_ends ON challenge (ends_at);
CREATE INDEX challenge_session ON challenge (session_id) WHERE session_id IS NOT NULL;
UPDATE meta SET value = '16' WHERE key = 'schema';
PRAGMA user_version = 16;
