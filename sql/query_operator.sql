-- The operator's pages and the status page. Each reads counts that are kept, or goes along one index.

-- name: standing_counts
SELECT standing, n FROM standing_count;

-- name: endings
SELECT hour, n FROM ending ORDER BY hour;

-- Those of the present hour that have ended already.
-- name: ended_since
SELECT count(*) AS n FROM site INDEXED BY site_held_to
WHERE held_id IS NOT NULL AND is_removed = 0 AND held_to >= :from AND held_to <= :by;

-- name: clusters
SELECT cause, n FROM cause_count ORDER BY n DESC, cause;

-- The finding of a cause that has stood longest.
-- name: cluster_first
SELECT f.first_seen AS first_seen, f.subject AS subject, coalesce(l.name, '') AS name
FROM finding f INDEXED BY finding_since LEFT JOIN listing l ON l.site_id = f.site_id
WHERE f.cause = :cause AND f.gone_at IS NULL ORDER BY f.first_seen LIMIT 1;

-- name: letters_trouble
SELECT id, site_id, owner_id, kind, key, message_id, "to", subject, '' AS body, '' AS message, created, next_try, sent_at,
	tries, error, bounced_at, bounce
FROM letter INDEXED BY letter_trouble
WHERE (bounced_at IS NOT NULL OR (sent_at IS NULL AND error <> '')) AND id < :before_id ORDER BY id DESC LIMIT :max;

-- name: listed_name
SELECT name FROM listing WHERE site_id = :site_id;

-- name: incident_put
INSERT INTO incident (cause, began, seen) VALUES (:cause, :now, :now)
ON CONFLICT (cause) WHERE ended IS NULL DO UPDATE SET seen = excluded.seen;

-- What was not seen again is over.
-- name: incidents_end
UPDATE incident SET ended = :now WHERE ended IS NULL AND seen < :now;

-- name: incidents
SELECT id, cause, began, ended FROM incident WHERE id < :before_id ORDER BY id DESC LIMIT :max;
