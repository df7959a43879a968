-- Questions, their parts, and what comes back of a letter.

-- name: letter_of_message
SELECT id, site_id, owner_id, "to" FROM letter WHERE message_id = :message_id;

-- name: letter_of_key
SELECT id FROM letter WHERE key = :key;

-- name: letter_bounced
UPDATE letter SET bounced_at = coalesce(bounced_at, :now), bounce = :bounce WHERE id = :id;

-- name: question_put
INSERT INTO question (site_id, owner_id, letter_id, writer, subject, cause, about, asked_at, open_since)
VALUES (:site_id, :owner_id, :letter_id, :writer, :subject, :cause, :about, :asked_at, :asked_at)
RETURNING id;

-- name: question_part_put
INSERT INTO question_part (question_id, at, by, is_ours, text, is_cut, message_id, letter_id)
VALUES (:question_id, :at, :by, :is_ours, :text, :is_cut, :message_id, NULL);

-- name: question_state
UPDATE question SET open_since = :open_since WHERE id = :id;

-- name: question_of_message
SELECT q.id AS id, q.writer AS writer
FROM question_part p JOIN question q ON q.id = p.question_id
WHERE p.message_id = :message_id AND p.message_id <> '';

-- name: question_load
SELECT q.id AS id, q.site_id AS site_id, q.owner_id AS owner_id, q.letter_id AS letter_id, q.writer AS writer,
	q.subject AS subject, q.cause AS cause, q.about AS about, q.asked_at AS asked_at, q.open_since AS open_since,
	coalesce((SELECT name FROM name WHERE site_id = q.site_id ORDER BY position LIMIT 1), '') AS site
FROM question q WHERE q.id = :id;

-- name: questions_open
SELECT q.id AS id, q.site_id AS site_id, q.owner_id AS owner_id, q.letter_id AS letter_id, q.writer AS writer,
	q.subject AS subject, q.cause AS cause, q.about AS about, q.asked_at AS asked_at, q.open_since AS open_since,
	coalesce((SELECT name FROM name WHERE site_id = q.site_id ORDER BY position LIMIT 1), '') AS site
FROM question q INDEXED BY question_open WHERE q.open_since IS NOT NULL AND q.id > :after_id ORDER BY q.id LIMIT :max;

-- name: questions_all
SELECT q.id AS id, q.site_id AS site_id, q.owner_id AS owner_id, q.letter_id AS letter_id, q.writer AS writer,
	q.subject AS subject, q.cause AS cause, q.about AS about, q.asked_at AS asked_at, q.open_since AS open_since,
	coalesce((SELECT name FROM name WHERE site_id = q.site_id ORDER BY position LIMIT 1), '') AS site
FROM question q WHERE q.id < :before_id ORDER BY q.id DESC LIMIT :max;

-- name: questions_of
SELECT q.id AS id, q.site_id AS site_id, q.owner_id AS owner_id, q.letter_id AS letter_id, q.writer AS writer,
	q.subject AS subject, q.cause AS cause, q.about AS about, q.asked_at AS asked_at, q.open_since AS open_since,
	coalesce((SELECT name FROM name WHERE site_id = q.site_id ORDER BY position LIMIT 1), '') AS site
FROM question q WHERE q.site_id = :site_id AND q.id < :before_id ORDER BY q.id DESC LIMIT :max;

-- name: question_parts
SELECT id, question_id, at, by, is_ours, text, is_cut, message_id, letter_id
FROM question_part WHERE question_id = :question_id ORDER BY id LIMIT :max;

-- name: answers_unwritten
SELECT id, question_id, at, by, is_ours, text, is_cut, message_id, letter_id
FROM question_part INDEXED BY question_part_unwritten
WHERE is_ours = 1 AND letter_id IS NULL ORDER BY id LIMIT :max;

-- name: answer_written
UPDATE question_part SET letter_id = :letter_id, message_id = :message_id WHERE id = :id;
