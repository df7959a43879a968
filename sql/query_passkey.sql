-- Passkeys, and challenges for them.

-- name: passkey_put
INSERT INTO passkey (person_id, credential, algorithm, key, count, name, created)
VALUES (:person_id, :credential, :algorithm, :key, :count, :name, :created) ON CONFLICT DO NOTHING RETURNING id;

-- name: passkey_find
SELECT id, person_id, credential, algorithm, key, count, name, created, used FROM passkey WHERE credential = :credential;

-- name: passkeys_of
SELECT id, person_id, credential, algorithm, key, count, name, created, used FROM passkey WHERE person_id = :person_id ORDER BY id LIMIT :max;

-- name: passkey_used
UPDATE passkey SET count = :count, used = :now WHERE id = :id;

-- name: passkey_remove
DELETE FROM passkey WHERE id = :id AND person_id = :person_id;

-- name: challenge_put
INSERT INTO challenge (digest, session_id, ends_at) VALUES (:digest, :session_id, :ends_at);

-- name: challenge_take
DELETE FROM challenge WHERE digest = :digest AND coalesce(session_id, 0) = :session_id AND ends_at > :now;

-- name: challenges_old
DELETE FROM challenge WHERE ends_at <= :now;
