-- By which clock the dates in the store are.
--
-- set_s: by how many seconds the wall clock was set in all, since this store was made; is_moving: there are sites left whose
-- dates are by a clock of before.
CREATE TABLE clock (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	set_s INTEGER NOT NULL,
	is_moving INTEGER NOT NULL CHECK (is_moving IN (0, 1))
) STRICT;
INSERT INTO clock (id, set_s, is_moving) VALUES (1, 0, 0);
-- set_s when the dates of the site, of its names and findings and of its renewal were written.
ALTER TABLE site ADD COLUMN clock_s INTEGER NOT NULL DEFAULT 0;

-- A site is added without a certificate, so there is nothing to count; and with a trigger on it, SQLite reads all orders and findings
-- whenever a site is added.
DROP TRIGGER ending_added;

UPDATE meta SET value = '19' WHERE key = 'schema';
PRAGMA user_version = 19;
