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
