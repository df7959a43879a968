-- People: who they are, what they sign in with, and what they did.

-- name: person_put
INSERT INTO person (owner_id, mail, name, lang, role, created) VALUES (:owner_id, :mail, :name, :lang, :role, :created)
ON CONFLICT (mail) DO NOTHING RETURNING id;

-- name: person_find
SELECT id, owner_id, mail, name, lang, role, password, created, (SELECT count(*) FROM code WHERE person_id = person.id AND confirmed IS NOT NULL) AS has_codes FROM person WHERE mail = :mail;

-- name: person_load
SELECT id, owner_id, mail, name, lang, role, password, created, (SELECT count(*) FROM code WHERE person_id = person.id AND confirmed IS NOT NULL) AS has_codes FROM person WHERE id = :id;

-- name: people
SELECT id, owner_id, mail, name, lang, role, password, created, (SELECT count(*) FROM code WHERE person_id = person.id AND confirmed IS NOT NULL) AS has_codes FROM person WHERE id > :after_id ORDER BY id LIMIT :max;

-- name: people_of
SELECT id, owner_id, mail, name, lang, role, password, created, (SELECT count(*) FROM code WHERE person_id = person.id AND confirmed IS NOT NULL) AS has_codes FROM person WHERE owner_id = :owner_id AND id > :after_id ORDER BY id LIMIT :max;

-- name: person_change
UPDATE OR IGNORE person SET owner_id = :owner_id, mail = :mail, name = :name, lang = :lang, role = :role WHERE id = :id;

-- name: person_password
UPDATE person SET password = :password WHERE id = :id;

-- name: person_remove
DELETE FROM person WHERE id = :id;

-- name: session_put
INSERT INTO session (person_id, digest, begun, used, address, agent, is_by_link)
VALUES (:person_id, :digest, :now, :now, :address, :agent, :is_by_link) RETURNING id;

-- name: session_find
SELECT id, person_id, begun, used, address, agent, is_by_link FROM session WHERE digest = :digest;

-- name: sessions_of
SELECT id, person_id, begun, used, address, agent, is_by_link FROM session WHERE person_id = :person_id ORDER BY id DESC LIMIT :max;

-- name: session_used
UPDATE session SET used = :now WHERE id = :id;

-- name: session_remove
DELETE FROM session WHERE id = :id AND person_id = :person_id;

-- name: sessions_remove
DELETE FROM session WHERE person_id = :person_id AND id <> :except_id;

-- name: device_put
INSERT INTO device (digest, person_id, created) VALUES (:digest, :person_id, :now) ON CONFLICT DO NOTHING;

-- name: device_is_known
SELECT 1 AS known FROM device WHERE digest = :digest AND person_id = :person_id;

-- name: attempts_of
SELECT failures, failed_at FROM attempt WHERE subject = :subject;

-- name: attempts_old
DELETE FROM attempt WHERE failed_at < :before;

-- name: attempt_put
INSERT INTO attempt (subject, failures, failed_at) VALUES (:subject, 1, :now)
ON CONFLICT (subject) DO UPDATE SET failures = failures + 1, failed_at = excluded.failed_at;

-- name: attempt_forgive
UPDATE attempt SET failures = max(failures - 1, 0) WHERE subject = :subject;

-- name: attempts_forget
DELETE FROM attempt WHERE subject = :subject;

-- name: link_put
INSERT INTO login_link (digest, person_id, ends_at) VALUES (:digest, :person_id, :ends_at);

-- name: link_find
SELECT person_id, ends_at FROM login_link WHERE digest = :digest;

-- name: link_take
DELETE FROM login_link WHERE digest = :digest;

-- name: links_old
DELETE FROM login_link WHERE ends_at < :now;

-- name: api_token_put
INSERT INTO api_token (person_id, digest, name, scopes, created, ends_at)
VALUES (:person_id, :digest, :name, :scopes, :now, :ends_at) RETURNING id;

-- name: api_token_find
SELECT id, person_id, name, scopes, created, used, ends_at FROM api_token WHERE digest = :digest;

-- name: api_tokens_of
SELECT id, person_id, name, scopes, created, used, ends_at FROM api_token WHERE person_id = :person_id ORDER BY id DESC LIMIT :max;

-- name: api_token_used
UPDATE api_token SET used = :now WHERE id = :id;

-- name: api_token_remove
DELETE FROM api_token WHERE id = :id AND person_id = :person_id;

-- name: audit_put
INSERT INTO audit (at, who, role, address, action, object, detail)
VALUES (:at, :who, :role, :address, :action, :object, :detail);

-- name: audit
SELECT id, at, who, role, address, action, object, detail FROM audit WHERE id < :before_id ORDER BY id DESC LIMIT :max;

-- Along the index of what leaves the fewest rows; '' of the others: whatever it is. A site goes by two forms of its name.
-- name: audit_object
SELECT id, at, who, role, address, action, object, detail FROM audit INDEXED BY audit_object
WHERE object IN (:object, :other) AND id < :before_id AND (:who = '' OR who = :who) AND (:action = '' OR action = :action)
ORDER BY id DESC LIMIT :max;

-- name: audit_who
SELECT id, at, who, role, address, action, object, detail FROM audit INDEXED BY audit_who
WHERE who = :who AND id < :before_id AND (:action = '' OR action = :action) ORDER BY id DESC LIMIT :max;

-- name: audit_action
SELECT id, at, who, role, address, action, object, detail FROM audit INDEXED BY audit_action WHERE action = :action AND id < :before_id ORDER BY id DESC LIMIT :max;
