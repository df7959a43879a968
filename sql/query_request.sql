-- Requests that are carried out once.

-- name: request_put
INSERT INTO request (person_id, key, digest, created) VALUES (:person_id, :key, :digest, :created) ON CONFLICT DO NOTHING;

-- name: request_load
SELECT digest, created, status, answer FROM request WHERE person_id = :person_id AND key = :key;

-- name: request_answer
UPDATE request SET status = :status, answer = :answer WHERE person_id = :person_id AND key = :key;

-- name: requests_old
DELETE FROM request WHERE created < :before;
