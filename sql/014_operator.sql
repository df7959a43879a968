-- What the operator's pages and the status page are read from. Counts are kept with the rows that they count, so that no page counts a
-- million of them.

-- Sites that hold a certificate, by the hour (since 1970) in which it ends.
CREATE TABLE ending (
	hour INTEGER PRIMARY KEY,
	n INTEGER NOT NULL
) STRICT;
CREATE TRIGGER ending_added AFTER INSERT ON site WHEN NEW.held_id IS NOT NULL AND NEW.held_to IS NOT NULL AND NEW.is_removed = 0 BEGIN
	INSERT INTO ending (hour, n) VALUES (NEW.held_to / 3600, 1) ON CONFLICT (hour) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER ending_left AFTER UPDATE OF held_id, held_to, is_removed ON site
WHEN OLD.held_id IS NOT NULL AND OLD.held_to IS NOT NULL AND OLD.is_removed = 0
	AND (NEW.held_id IS NULL OR NEW.held_to IS NOT OLD.held_to OR NEW.is_removed = 1) BEGIN
	UPDATE ending SET n = n - 1 WHERE hour = OLD.held_to / 3600;
	DELETE FROM ending WHERE hour = OLD.held_to / 3600 AND n <= 0;
END;
CREATE TRIGGER ending_came AFTER UPDATE OF held_id, held_to, is_removed ON site
WHEN NEW.held_id IS NOT NULL AND NEW.held_to IS NOT NULL AND NEW.is_removed = 0
	AND (OLD.held_id IS NULL OR NEW.held_to IS NOT OLD.held_to OR OLD.is_removed = 1) BEGIN
	INSERT INTO ending (hour, n) VALUES (NEW.held_to / 3600, 1) ON CONFLICT (hour) DO UPDATE SET n = n + 1;
END;
INSERT INTO ending (hour, n) SELECT held_to / 3600, count(*) FROM site
WHERE held_id IS NOT NULL AND held_to IS NOT NULL AND is_removed = 0 GROUP BY 1;

-- Sites by their standing, as in listing.
CREATE TABLE standing_count (
	standing TEXT PRIMARY KEY,
	n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER standing_added AFTER INSERT ON listing BEGIN
	INSERT INTO standing_count (standing, n) VALUES (NEW.standing, 1) ON CONFLICT (standing) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER standing_changed AFTER UPDATE OF standing ON listing WHEN OLD.standing <> NEW.standing BEGIN
	UPDATE standing_count SET n = n - 1 WHERE standing = OLD.standing;
	INSERT INTO standing_count (standing, n) VALUES (NEW.standing, 1) ON CONFLICT (standing) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER standing_removed AFTER DELETE ON listing BEGIN
	UPDATE standing_count SET n = n - 1 WHERE standing = OLD.standing;
END;
INSERT INTO standing_count (standing, n) SELECT standing, count(*) FROM listing GROUP BY standing;

-- Sites of one standing among those that a search has found.
CREATE INDEX listing_stands ON listing (standing);

-- Findings that stand, by cause.
CREATE TABLE cause_count (
	cause TEXT PRIMARY KEY,
	n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER cause_came AFTER INSERT ON finding WHEN NEW.gone_at IS NULL BEGIN
	INSERT INTO cause_count (cause, n) VALUES (NEW.cause, 1) ON CONFLICT (cause) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER cause_went AFTER UPDATE OF gone_at ON finding WHEN OLD.gone_at IS NULL AND NEW.gone_at IS NOT NULL BEGIN
	UPDATE cause_count SET n = n - 1 WHERE cause = NEW.cause;
	DELETE FROM cause_count WHERE cause = NEW.cause AND n <= 0;
END;
INSERT INTO cause_count (cause, n) SELECT cause, count(*) FROM finding WHERE gone_at IS NULL GROUP BY cause;
-- Since when a cause stands, and its first example.
CREATE INDEX finding_since ON finding (cause, first_seen) WHERE gone_at IS NULL;

-- Letters that somebody should know of: they came back, or were not taken.
CREATE INDEX letter_trouble ON letter (id) WHERE bounced_at IS NOT NULL OR (sent_at IS NULL AND error <> '');

CREATE INDEX audit_who ON audit (who);
CREATE INDEX audit_object ON audit (object);
CREATE INDEX audit_action ON audit (action);

-- What concerns many customers at once, for the status page; no name of a customer is in it.
CREATE TABLE incident (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	cause TEXT NOT NULL CHECK (cause <> ''),
	began INTEGER NOT NULL,
	seen INTEGER NOT NULL,
	ended INTEGER
) STRICT;
CREATE UNIQUE INDEX incident_open ON incident (cause) WHERE ended IS NULL;

UPDATE meta SET value = '14' WHERE key = 'schema';
PRAGMA user_version = 14;
