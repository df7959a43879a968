-- Invitations, and the letters that are finished as they are sent.

-- name: invitation_put
INSERT INTO invitation (owner_id, role, mail, name, lang, by, created, ends_at)
VALUES (:owner_id, :role, :mail, :name, :lang, :by, :created, :ends_at)
ON CONFLICT DO UPDATE SET role = excluded.role, name = excluded.name, lang = excluded.lang, by = excluded.by, created = excluded.created,
	ends_at = excluded.ends_at, digest = NULL
RETURNING id;

-- name: invitation_find
SELECT id, owner_id, role, mail, name, lang, by, created, ends_at FROM invitation WHERE digest = :digest;

-- name: invitation_load
SELECT id, owner_id, role, mail, name, lang, by, created, ends_at FROM invitation WHERE id = :id;

-- name: invitations
SELECT id, owner_id, role, mail, name, lang, by, created, ends_at FROM invitation
WHERE ends_at > :now ORDER BY ends_at DESC LIMIT :max;

-- name: invitations_of
SELECT id, owner_id, role, mail, name, lang, by, created, ends_at FROM invitation
WHERE coalesce(owner_id, 0) = :owner_id AND ends_at > :now ORDER BY id DESC LIMIT :max;

-- name: invitation_digest
UPDATE invitation SET digest = :digest WHERE id = :id;

-- name: invitation_remove
DELETE FROM invitation WHERE id = :id;

-- name: invitations_old
DELETE FROM invitation WHERE ends_at < :now;

-- name: letter_access_put
INSERT INTO letter_access (letter_key, lang, person_id, invitation_id) VALUES (:letter_key, :lang, :person_id, :invitation_id);

-- name: letter_access_load
SELECT lang, person_id, invitation_id FROM letter_access WHERE letter_key = :letter_key;
