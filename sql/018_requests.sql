-- Requests with an Idempotency-Key that were carried out, for a day. In the transaction of the deed; the answer follows.
CREATE TABLE request (
	person_id INTEGER NOT NULL, -- 0: the command
	key TEXT NOT NULL CHECK (key <> ''),
	digest BLOB NOT NULL CHECK (length(digest) = 32), -- of method, path and body
	created INTEGER NOT NULL,
	status INTEGER, -- NULL: the answer is not kept
	answer TEXT,
	PRIMARY KEY (person_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_created ON request (created);
UPDATE meta SET value = '18' WHERE key = 'schema';
PRAGMA user_version = 18;
