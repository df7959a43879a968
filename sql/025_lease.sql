-- Which of several engines on this store acts (core/lease). The number counts up with each taking; nothing that was decided under an
-- earlier one is committed.
CREATE TABLE lease (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	holder TEXT NOT NULL DEFAULT '',
	fence INTEGER NOT NULL DEFAULT 0,
	ends_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO lease (id) VALUES (1);
UPDATE meta SET value = '25' WHERE key = 'schema';
PRAGMA user_version = 25;
