-- The web's side: owners, new sites, settings, names.

-- name: owner_id
SELECT id FROM owner WHERE mail = :mail;

-- name: owner_put
INSERT INTO owner (mail, lang, created) VALUES (:mail, :lang, :created);

-- name: owner_load
SELECT id, mail, lang FROM owner WHERE id = :id;

-- name: site_owner
SELECT owner_id FROM site WHERE id = :id;

-- name: site_put
INSERT INTO site (owner_id, created, wake, lane, clock_s)
VALUES (:owner_id, :now, :now, 'first', :clock_s);

-- A site that had no date gets one as soon as it wants a certificate (P2): long ago is at once.
-- name: site_wake_at_once
UPDATE site SET wake = 0 WHERE id = :id AND (wake IS NULL OR wake = 9223372036854775807);

-- name: site_is_removed
SELECT is_removed FROM site WHERE id = :id;

-- name: setting_put
INSERT INTO setting (site_id, source, coverage, key_type, redirect, hsts, takeover, root, proxy, profile)
VALUES (:site_id, :source, :coverage, :key_type, :redirect, :hsts, :takeover, :root, :proxy, :profile)
ON CONFLICT (site_id) DO UPDATE SET source = excluded.source, coverage = excluded.coverage,
	key_type = excluded.key_type, redirect = excluded.redirect, hsts = excluded.hsts, takeover = excluded.takeover, root = excluded.root,
	proxy = excluded.proxy, profile = excluded.profile;

-- name: given_up_put
INSERT INTO given_up (site_id, at, by, is_suspended, redirect, hsts)
VALUES (:site_id, :at, :by, :is_suspended, :redirect, :hsts)
ON CONFLICT (site_id) DO NOTHING;

-- name: given_up_drop
DELETE FROM given_up WHERE site_id = :site_id;

-- name: draft_put
INSERT INTO draft (site_id, source, coverage, key_type, redirect, hsts, takeover, root, proxy, profile, begun_at, begun_by, told_at,
	has_csr)
VALUES (:site_id, :source, :coverage, :key_type, :redirect, :hsts, :takeover, :root, :proxy, :profile, :begun_at, :begun_by, :told_at,
	:has_csr)
ON CONFLICT (site_id) DO UPDATE SET source = excluded.source, coverage = excluded.coverage,
	key_type = excluded.key_type, redirect = excluded.redirect, hsts = excluded.hsts, takeover = excluded.takeover, root = excluded.root,
	proxy = excluded.proxy, profile = excluded.profile, begun_at = excluded.begun_at, begun_by = excluded.begun_by,
	told_at = excluded.told_at, has_csr = excluded.has_csr;

-- name: name_find
SELECT site_id FROM name WHERE name = :name AND is_taken = 1;

-- name: names_unwanted
UPDATE name SET is_wanted = 0, is_taken = 0 WHERE site_id = :site_id AND is_wanted = 1;

-- name: name_put
INSERT INTO name (site_id, name, position, is_wanted, is_taken)
VALUES (:site_id, :name, :position, 1, :is_taken)
ON CONFLICT (site_id, name) DO UPDATE SET position = excluded.position, is_wanted = 1, is_taken = excluded.is_taken;
