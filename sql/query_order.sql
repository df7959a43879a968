-- Orders and certificates.

-- name: order_put
INSERT INTO orders (site_id, ca_id, job, phase, url, finalize_url, certificate_url, sealed_key, csr_der, replaces,
	profile, names, created, changed, is_open)
VALUES (:site_id, :ca_id, :job, :phase, :url, :finalize_url, :certificate_url, :sealed_key, :csr_der, :replaces,
	:profile, :names, :created, :created, :is_open);

-- name: order_save
UPDATE orders SET phase = :phase, url = :url, finalize_url = :finalize_url, certificate_url = :certificate_url,
	replaces = :replaces, profile = :profile, changed = :now
WHERE id = :id;

-- name: order_close
UPDATE orders SET phase = :phase, changed = :now, is_open = 0 WHERE id = :id;

-- name: order_load
SELECT id, site_id, ca_id, job, phase, url, finalize_url, certificate_url, sealed_key, csr_der, replaces, profile,
	names, created, is_open
FROM orders WHERE id = :id;

-- name: orders_open
SELECT id, site_id, ca_id, job, phase, url, finalize_url, certificate_url, sealed_key, csr_der, replaces, profile,
	names, created, is_open
FROM orders INDEXED BY orders_open WHERE is_open = 1 ORDER BY id;

-- name: certificate_put
INSERT INTO certificate (site_id, ca_id, order_id, not_before, not_after, fingerprint, serial, issuer, ari_id,
	names, chain_pem, sealed_key, created, is_archived, is_own)
VALUES (:site_id, :ca_id, :order_id, :not_before, :not_after, :fingerprint, :serial, :issuer, :ari_id,
	:names, :chain_pem, :sealed_key, :created, :is_archived, :is_own);

-- Live is what visitors receive: the one that a handshake has proven, and any that a server still hands out (P1, P3).
-- name: certificate_archive
UPDATE certificate SET is_archived = 1
WHERE site_id = :site_id AND id <> :id AND is_archived = 0
	AND NOT EXISTS (SELECT 1 FROM site s WHERE s.id = :site_id AND s.held_id = certificate.id AND s.held_is_live = 1)
	AND NOT EXISTS (SELECT 1 FROM name n JOIN served v ON v.name_id = n.id
		WHERE n.site_id = :site_id AND v.fingerprint = certificate.fingerprint);

-- name: certificate_load
SELECT id, site_id, ca_id, order_id, not_before, not_after, fingerprint, serial, issuer, ari_id, names, chain_pem,
	sealed_key, created, is_archived, is_own
FROM certificate WHERE id = :id;

-- name: certificates_of
SELECT id, site_id, ca_id, order_id, not_before, not_after, fingerprint, serial, issuer, ari_id, names, chain_pem,
	sealed_key, created, is_archived, is_own
FROM certificate WHERE site_id = :site_id ORDER BY id DESC LIMIT :max;

-- name: certificate_own
SELECT id, site_id, ca_id, order_id, not_before, not_after, fingerprint, serial, issuer, ari_id, names, chain_pem,
	sealed_key, created, is_archived, is_own
FROM certificate WHERE site_id = :site_id AND is_own = 1 ORDER BY id DESC LIMIT 1;

-- name: csr_put
INSERT INTO csr (site_id, key_type, names, csr_der, sealed_key, key_id, created, by)
VALUES (:site_id, :key_type, :names, :csr_der, :sealed_key, :key_id, :created, :by);

-- name: csrs_of
SELECT id, site_id, key_type, names, csr_der, sealed_key, key_id, created, by, answered
FROM csr WHERE site_id = :site_id AND created > :after ORDER BY id DESC LIMIT :max;

-- name: csr_of_key
SELECT id, site_id, key_type, names, csr_der, sealed_key, key_id, created, by, answered
FROM csr WHERE site_id = :site_id AND key_id = :key_id AND created > :after;

-- name: csr_drop
DELETE FROM csr WHERE site_id = :site_id AND id = :id;

-- name: csrs_end
DELETE FROM csr WHERE created <= :by;

-- name: csr_answered
UPDATE csr SET answered = :now WHERE id = :id;

-- name: own_chains
SELECT chain_pem FROM certificate INDEXED BY certificate_own WHERE is_own = 1 AND issuer = :issuer ORDER BY id DESC LIMIT :max;
