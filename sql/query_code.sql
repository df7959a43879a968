-- One-time codes and recovery codes.

-- name: code_put
INSERT INTO code (person_id, sealed, begun, step) VALUES (:person_id, :sealed, :now, 0)
ON CONFLICT (person_id) DO UPDATE SET sealed = excluded.sealed, begun = excluded.begun, step = 0 WHERE confirmed IS NULL;

-- name: code_load
SELECT c.sealed AS sealed, c.begun AS begun, c.confirmed AS confirmed, c.step AS step,
	(SELECT count(*) FROM recovery_code r WHERE r.person_id = c.person_id) AS recovery_left
FROM code c WHERE c.person_id = :person_id;

-- name: code_take
UPDATE code SET step = :step, confirmed = coalesce(confirmed, :now) WHERE person_id = :person_id AND step < :step;

-- name: code_drop
DELETE FROM code WHERE person_id = :person_id;

-- name: recovery_put
INSERT INTO recovery_code (person_id, digest) VALUES (:person_id, :digest);

-- name: recovery_take
DELETE FROM recovery_code WHERE person_id = :person_id AND digest = :digest;

-- name: recovery_drop
DELETE FROM recovery_code WHERE person_id = :person_id;
