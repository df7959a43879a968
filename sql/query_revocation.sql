-- Certificates that were given up for good.

-- name: revocation_put
INSERT INTO revocation (certificate_id, site_id, reason, by, asked_at)
VALUES (:certificate_id, :site_id, :reason, :by, :now)
ON CONFLICT DO NOTHING;

-- Those before it, and one that has come meanwhile, go with it while they live; what others have issued is for its owner to revoke.
-- name: revocation_put_others
INSERT INTO revocation (certificate_id, site_id, reason, by, asked_at)
SELECT c.id, c.site_id, r.reason, r.by, r.asked_at FROM certificate c
JOIN revocation r ON r.certificate_id = (SELECT max(n.certificate_id) FROM revocation n WHERE n.site_id = :site_id AND n.destroyed_at IS NULL)
WHERE c.site_id = :site_id AND c.id <= :newest_id AND c.ca_id IS NOT NULL AND c.not_after > :now
ON CONFLICT DO NOTHING;

-- name: revocation_destroyed
UPDATE revocation SET destroyed_at = :now,
	next_try = CASE WHEN (SELECT c.ca_id FROM certificate c WHERE c.id = certificate_id) IS NULL THEN NULL ELSE :now END
WHERE site_id = :site_id AND destroyed_at IS NULL;

-- The bytes are overwritten in their pages (secure_delete).
-- name: certificate_keys_destroy
UPDATE certificate SET sealed_key = zeroblob(0), is_archived = 1 WHERE site_id = :site_id AND id <= :newest_id;

-- name: order_keys_destroy
UPDATE orders SET sealed_key = zeroblob(0) WHERE site_id = :site_id AND is_open = 0;

-- Requests that were answered have the key of a certificate; the others wait for theirs.
-- name: csr_keys_destroy
DELETE FROM csr WHERE site_id = :site_id AND answered IS NOT NULL;

-- name: revocation_load
SELECT r.reason, r.by, r.asked_at, r.destroyed_at, r.next_try, r.revoked_at, c.not_after, c.is_own
FROM revocation r JOIN certificate c ON c.id = r.certificate_id
WHERE r.site_id = :site_id ORDER BY r.certificate_id DESC LIMIT 1;

-- name: revocations_due
SELECT r.certificate_id, r.site_id, r.reason, r.tries, c.chain_pem
FROM revocation r JOIN certificate c ON c.id = r.certificate_id
WHERE r.next_try <= :now AND c.ca_id = :ca_id AND c.not_after > :now ORDER BY r.next_try, r.certificate_id LIMIT :max;

-- name: revocations_next
SELECT min(r.next_try) AS at FROM revocation r JOIN certificate c ON c.id = r.certificate_id
WHERE r.next_try IS NOT NULL AND c.ca_id = :ca_id AND c.not_after > :now;

-- name: revocation_find
SELECT r.certificate_id, r.site_id, r.reason, r.tries, c.chain_pem
FROM revocation r JOIN certificate c ON c.id = r.certificate_id
WHERE r.certificate_id = :certificate_id AND r.next_try IS NOT NULL;

-- name: revocation_save
UPDATE revocation SET reason = :reason, next_try = :next_try, tries = :tries, revoked_at = :revoked_at, error = :error
WHERE certificate_id = :certificate_id;

-- name: revocations_waiting
SELECT count(*) AS n FROM revocation WHERE site_id = :site_id AND next_try IS NOT NULL;

-- Nothing of what was overwritten stays in the log.
-- name: log_empty
PRAGMA wal_checkpoint (TRUNCATE);
