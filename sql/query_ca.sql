-- CAs and their accounts, and what is answered for other accounts than the first.

-- Everything but rollover_asked and unblock_asked, which are the web's to set and are taken away by ca_rollover_taken and
-- ca_unblock_taken alone.
-- name: ca_put
INSERT INTO ca (name, directory, contact, bundle, preferred_issuer, sealed_key, thumbprint, account_url, eab_kid,
	eab_sealed_hmac, caa_identity, terms, not_before, failures, origin, position, profiles, caa_identities,
	has_renewal_info, eab_required, key_change, directory_at, error, ill_since, probed_at, next_sealed_key,
	next_thumbprint, rolled_at, canary_at, canary_done_at, canary_ok_at, canary_error, blocked_at)
VALUES (:name, :directory, :contact, :bundle, :preferred_issuer, :sealed_key, :thumbprint, :account_url, :eab_kid,
	:eab_sealed_hmac, :caa_identity, :terms, :not_before, :failures, :origin, :position, :profiles,
	:caa_identities, :has_renewal_info, :eab_required, :key_change, :directory_at, :error, :ill_since,
	:probed_at, :next_sealed_key, :next_thumbprint, :rolled_at, :canary_at, :canary_done_at, :canary_ok_at,
	:canary_error, :blocked_at)
ON CONFLICT (name) DO UPDATE SET directory = excluded.directory, contact = excluded.contact, bundle = excluded.bundle,
	preferred_issuer = excluded.preferred_issuer, sealed_key = excluded.sealed_key,
	thumbprint = excluded.thumbprint, account_url = excluded.account_url, eab_kid = excluded.eab_kid,
	eab_sealed_hmac = excluded.eab_sealed_hmac, caa_identity = excluded.caa_identity, terms = excluded.terms,
	not_before = excluded.not_before, failures = excluded.failures, origin = excluded.origin,
	position = excluded.position, profiles = excluded.profiles, caa_identities = excluded.caa_identities,
	has_renewal_info = excluded.has_renewal_info, eab_required = excluded.eab_required,
	key_change = excluded.key_change, directory_at = excluded.directory_at, error = excluded.error,
	ill_since = excluded.ill_since, probed_at = excluded.probed_at, next_sealed_key = excluded.next_sealed_key,
	next_thumbprint = excluded.next_thumbprint, rolled_at = excluded.rolled_at, canary_at = excluded.canary_at,
	canary_done_at = excluded.canary_done_at, canary_ok_at = excluded.canary_ok_at,
	canary_error = excluded.canary_error, blocked_at = excluded.blocked_at;

-- name: ca_id
SELECT id FROM ca WHERE name = :name;

-- In order of preference; those that are not used any more come last.
-- name: cas
SELECT id, name, directory, contact, bundle, preferred_issuer, sealed_key, thumbprint, account_url, eab_kid,
	eab_sealed_hmac, caa_identity, terms, not_before, failures, origin, position, profiles, caa_identities,
	has_renewal_info, eab_required, key_change, directory_at, error, ill_since, probed_at, next_sealed_key,
	next_thumbprint, rolled_at, canary_at, canary_done_at, canary_ok_at, canary_error,
	rollover_asked, blocked_at, unblock_asked
FROM ca ORDER BY position IS NULL, position, id;

-- What changes when the web adds a CA, wants a rollover or has been told of a block that is lifted.
-- name: ca_mark
SELECT coalesce(sum(id), 0) + coalesce(sum(rollover_asked), 0) + coalesce(sum(unblock_asked), 0) AS mark FROM ca;

-- name: ca_ask_rollover
UPDATE ca SET rollover_asked = :now WHERE name = :name;

-- name: ca_rollover_taken
UPDATE ca SET rollover_asked = NULL WHERE id = :id;

-- name: ca_ask_unblock
UPDATE ca SET unblock_asked = :now WHERE name = :name;

-- name: ca_unblock_taken
UPDATE ca SET unblock_asked = NULL WHERE id = :id;

-- name: token_put
INSERT INTO token (token, thumbprint, at) VALUES (:token, :thumbprint, :now)
ON CONFLICT (token) DO UPDATE SET thumbprint = excluded.thumbprint, at = excluded.at;

-- name: token_forget
DELETE FROM token WHERE at < :before;

-- name: token_find
SELECT thumbprint FROM token WHERE token = :token;
