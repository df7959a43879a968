-- Orders, certificates and CAs.

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
	names, chain_pem, sealed_key, created, is_archived)
VALUES (:site_id, :ca_id, :order_id, :not_before, :not_after, :fingerprint, :serial, :issuer, :ari_id,
	:names, :chain_pem, :sealed_key, :created, :is_archived);

-- Live is what visitors receive: the one that a handshake has proven, and any that a server still hands out (P1, P3).
-- name: certificate_archive
UPDATE certificate SET is_archived = 1
WHERE site_id = :site_id AND id <> :id AND is_archived = 0
	AND NOT EXISTS (SELECT 1 FROM site s WHERE s.id = :site_id AND s.held_id = certificate.id AND s.held_is_live = 1)
	AND NOT EXISTS (SELECT 1 FROM name n JOIN served v ON v.name_id = n.id
		WHERE n.site_id = :site_id AND v.fingerprint = certificate.fingerprint);

-- name: certificate_load
SELECT id, site_id, ca_id, order_id, not_before, not_after, fingerprint, serial, issuer, ari_id, names, chain_pem,
	sealed_key, created, is_archived
FROM certificate WHERE id = :id;

-- name: certificates_of
SELECT id, site_id, ca_id, order_id, not_before, not_after, fingerprint, serial, issuer, ari_id, names, chain_pem,
	sealed_key, created, is_archived
FROM certificate WHERE site_id = :site_id ORDER BY id DESC LIMIT :max;

-- name: ca_put
INSERT INTO ca (name, directory, contact, bundle, preferred_issuer, sealed_key, thumbprint, account_url, eab_kid,
	eab_sealed_hmac, caa_identity, terms, not_before, failures)
VALUES (:name, :directory, :contact, :bundle, :preferred_issuer, :sealed_key, :thumbprint, :account_url, :eab_kid,
	:eab_sealed_hmac, :caa_identity, :terms, :not_before, :failures)
ON CONFLICT (name) DO UPDATE SET directory = excluded.directory, contact = excluded.contact,
	bundle = excluded.bundle, preferred_issuer = excluded.preferred_issuer, sealed_key = excluded.sealed_key,
	thumbprint = excluded.thumbprint, account_url = excluded.account_url, eab_kid = excluded.eab_kid,
	eab_sealed_hmac = excluded.eab_sealed_hmac, caa_identity = excluded.caa_identity, terms = excluded.terms,
	not_before = excluded.not_before, failures = excluded.failures;

-- name: ca_id
SELECT id FROM ca WHERE name = :name;

-- name: cas
SELECT id, name, directory, contact, bundle, preferred_issuer, sealed_key, thumbprint, account_url, eab_kid,
	eab_sealed_hmac, caa_identity, terms, not_before, failures
FROM ca ORDER BY id;
