-- Lists of sites. Each query goes along one index from where the page before ended; what else is asked for is looked at row by row.

-- The index of texts forgets a text before it changes and learns it afterwards.
-- name: search_forget
INSERT INTO search (search, rowid, text) SELECT 'delete', site_id, text FROM listing WHERE site_id = :site_id;

-- name: search_learn
INSERT INTO search (rowid, text) SELECT site_id, text FROM listing WHERE site_id = :site_id;

-- name: listing_put
INSERT INTO listing (site_id, name, standing, text)
SELECT s.id, :name, :standing, :text || ' ^^' || o.mail FROM site s JOIN owner o ON o.id = s.owner_id
WHERE s.id = :site_id AND s.is_removed = 0
ON CONFLICT (site_id) DO UPDATE SET name = excluded.name, text = excluded.text;

-- name: listing_stand
UPDATE listing SET standing = :standing, warned_from = :warned_from, late_from = :late_from
WHERE site_id = :site_id AND (standing <> :standing OR warned_from IS NOT :warned_from OR late_from IS NOT :late_from);

-- name: listing_remove
DELETE FROM listing WHERE site_id = :site_id;

-- name: list_all
SELECT site_id, name FROM name INDEXED BY name_first
WHERE is_taken = 1 AND position = 0 AND name > :after
ORDER BY name LIMIT :max;

-- name: list_standing
SELECT site_id, name FROM listing INDEXED BY listing_standing
WHERE standing = :standing AND name > :after
ORDER BY name LIMIT :max;

-- name: list_search
SELECT l.site_id AS site_id, l.name AS name FROM search f CROSS JOIN listing l ON l.site_id = f.rowid
WHERE f.text MATCH :search AND f.rowid > :after AND l.text LIKE :like ESCAPE '!'
	AND (:cause = '' OR EXISTS (SELECT 1 FROM finding c WHERE c.site_id = l.site_id AND c.cause = :cause AND c.gone_at IS NULL))
	AND (:owner_id = 0 OR (SELECT s.owner_id FROM site s WHERE s.id = l.site_id) = :owner_id)
ORDER BY f.rowid LIMIT :max;

-- name: list_search_standing
SELECT l.site_id AS site_id, l.name AS name FROM search f CROSS JOIN listing l INDEXED BY listing_stands ON l.standing = :standing AND l.site_id = f.rowid
WHERE f.text MATCH :search AND f.rowid > :after AND l.text LIKE :like ESCAPE '!'
	AND (:cause = '' OR EXISTS (SELECT 1 FROM finding c WHERE c.site_id = l.site_id AND c.cause = :cause AND c.gone_at IS NULL))
	AND (:owner_id = 0 OR (SELECT s.owner_id FROM site s WHERE s.id = l.site_id) = :owner_id)
ORDER BY f.rowid LIMIT :max;

-- name: list_owner
SELECT l.site_id AS site_id, l.name AS name FROM site s INDEXED BY site_owner CROSS JOIN listing l ON l.site_id = s.id
WHERE s.owner_id = :owner_id AND s.id > :after
	AND (:standing = '' OR l.standing = :standing)
	AND (:cause = '' OR EXISTS (SELECT 1 FROM finding c WHERE c.site_id = l.site_id AND c.cause = :cause AND c.gone_at IS NULL))
ORDER BY s.id LIMIT :max;

-- name: list_cause
SELECT DISTINCT l.site_id AS site_id, l.name AS name FROM finding c INDEXED BY finding_cause CROSS JOIN listing l ON l.site_id = c.site_id
WHERE c.cause = :cause AND c.gone_at IS NULL AND c.site_id > :after
	AND (:standing = '' OR l.standing = :standing)
ORDER BY c.site_id LIMIT :max;

-- Those that somebody has to look at: they are few as a rule. Where visitors are warned, and since when, comes first.
-- name: list_urgent
SELECT l.site_id AS site_id, l.name AS name, l.warned_from AS warned_from FROM listing l INDEXED BY listing_late
WHERE l.late_from IS NOT NULL AND l.late_from <= :now
	AND (l.warned_from > :after_from OR (l.warned_from = :after_from AND l.site_id > :after))
	AND l.text LIKE :like ESCAPE '!'
	AND (:cause = '' OR EXISTS (SELECT 1 FROM finding c WHERE c.site_id = l.site_id AND c.cause = :cause AND c.gone_at IS NULL))
ORDER BY l.warned_from, l.site_id LIMIT :max;

-- name: list_owner_urgent
SELECT l.site_id AS site_id, l.name AS name, l.warned_from AS warned_from FROM site s INDEXED BY site_owner CROSS JOIN listing l ON l.site_id = s.id
WHERE s.owner_id = :owner_id AND l.late_from <= :now
	AND (l.warned_from > :after_from OR (l.warned_from = :after_from AND l.site_id > :after))
	AND l.text LIKE :like ESCAPE '!'
	AND (:cause = '' OR EXISTS (SELECT 1 FROM finding c WHERE c.site_id = l.site_id AND c.cause = :cause AND c.gone_at IS NULL))
ORDER BY l.warned_from, l.site_id LIMIT :max;
