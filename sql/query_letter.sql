-- The outbox and the history.

-- name: letter_put
INSERT INTO letter (site_id, owner_id, kind, key, message_id, "to", subject, body, message, created, next_try,
	sent_at, tries, error)
VALUES (:site_id, :owner_id, :kind, :key, :message_id, :to, :subject, :body, :message, :created, :next_try,
	:sent_at, :tries, :error)
ON CONFLICT (key) DO NOTHING;

-- By the index: of one date, as they were written.
-- name: letters_due
SELECT id, site_id, owner_id, kind, key, message_id, "to", subject, body, message, created, next_try, sent_at,
	tries, error, bounced_at, bounce
FROM letter
WHERE sent_at IS NULL AND next_try <= :now AND next_try < 9223372036854775807
ORDER BY next_try LIMIT :max;

-- name: letters_next
SELECT min(next_try) AS next_try FROM letter WHERE sent_at IS NULL;

-- name: letter_sent
UPDATE letter SET sent_at = :now, tries = tries + 1, error = '' WHERE id = :id;

-- name: letter_failed
UPDATE letter SET error = :error, next_try = :next_try, tries = tries + 1 WHERE id = :id AND sent_at IS NULL;

-- name: letters_of
SELECT id, site_id, owner_id, kind, key, message_id, "to", subject, body, message, created, next_try, sent_at,
	tries, error, bounced_at, bounce
FROM letter WHERE site_id = :site_id ORDER BY id DESC LIMIT :max;

-- As it goes to the first other person of its owner, if it has not gone yet.
-- name: letter_second
SELECT 0 AS id, l.site_id AS site_id, l.owner_id AS owner_id, l.kind AS kind, l.key || '/second' AS key, 'second.' || l.message_id AS message_id,
	p.mail AS "to", l.subject AS subject, l.body AS body, '' AS message, :now AS created, :now AS next_try, NULL AS sent_at,
	0 AS tries, '' AS error, NULL AS bounced_at, '' AS bounce
FROM letter l JOIN person p ON p.owner_id = l.owner_id
WHERE l.id = :id AND l.site_id IS NOT NULL AND l.key NOT LIKE '%/second' AND p.mail <> l."to"
	AND NOT EXISTS (SELECT 1 FROM letter k WHERE k.key = l.key || '/second')
ORDER BY p.id LIMIT 1;

-- name: letters_lost
SELECT id, site_id, owner_id, kind, key, message_id, "to", subject, body, '' AS message, created, next_try, sent_at,
	tries, error, bounced_at, bounce
FROM letter INDEXED BY letter_lost
WHERE owner_id = :owner_id AND read_at IS NULL AND site_id IS NOT NULL AND (bounced_at IS NOT NULL OR next_try = 9223372036854775807)
ORDER BY id DESC LIMIT :max;

-- The first time stays.
-- name: letter_read
UPDATE letter SET read_at = coalesce(read_at, :now) WHERE id = :id AND owner_id = :owner_id;

-- name: history_put
INSERT INTO history (site_id, at, kind, by, subject, detail)
VALUES (:site_id, :at, :kind, :by, :subject, :detail);

-- name: history_of
SELECT id, site_id, at, kind, by, subject, detail
FROM history WHERE site_id = :site_id AND id < :before_id ORDER BY id DESC LIMIT :max;

-- name: history_of_after
SELECT id, site_id, at, kind, by, subject, detail
FROM history WHERE site_id = :site_id AND id > :after_id ORDER BY id LIMIT :max;

-- name: history_all_after
SELECT id, site_id, at, kind, by, subject, detail
FROM history WHERE id > :after_id ORDER BY id LIMIT :max;

-- name: history_all
SELECT id, site_id, at, kind, by, subject, detail
FROM history WHERE id < :before_id ORDER BY id DESC LIMIT :max;
