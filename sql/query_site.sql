-- The engine's side of sites.

-- name: site_unfinished
SELECT id FROM site INDEXED BY site_unfinished WHERE doing <> 'nothing' AND id > :after_id ORDER BY id LIMIT :max;

-- name: site_load
SELECT s.owner_id, s.doing, s.doing_since, s.job,
	s.held_id, s.held_from, s.held_to, s.held_fingerprint, s.held_is_live, s.held_is_own, s.held_is_spread,
	s.order_id, s.order_failures, s.retry_at, s.retry_is_law, s.checked_at, s.look_at,
	s.deploy_failures, s.deploy_at, s.verify_failures, s.put_backs,
	s.applied_digest, s.applied_redirect, s.applied_hsts, s.renewals_good, s.jitter,
	s.asked_check, s.asked_renew, s.is_removed, s.is_revoking,
	s.story_open, s.reminders_told, s.expired_told, s.issued_told, s.letter_at, s.wake, s.clock_s,
	s.ca_id, s.left_ca_id, s.left_at, s.left_is_law,
	g.source, g.coverage, g.key_type, g.redirect, g.hsts, g.takeover, g.root, g.proxy, g.profile,
	r.starts, r.ends, r.renew_at, coalesce(r.is_urgent, 0) AS is_urgent, coalesce(r.explanation, '') AS explanation,
	r.polled_at, r.poll_at, coalesce(r.failures, 0) AS poll_failures,
	coalesce(k.life, 0) AS calendar_life, k.since AS calendar_since,
	u.at AS given_up_at, coalesce(u.by, '') AS given_up_by, coalesce(u.is_suspended, 0) AS is_suspended,
	coalesce(u.redirect, 0) AS given_up_redirect, coalesce(u.hsts, 0) AS given_up_hsts,
	d.site_id IS NOT NULL AS has_draft,
	d.source AS draft_source, d.coverage AS draft_coverage, d.key_type AS draft_key_type,
	d.redirect AS draft_redirect, d.hsts AS draft_hsts, d.takeover AS draft_takeover, d.root AS draft_root, d.proxy AS draft_proxy,
	d.profile AS draft_profile,
	d.begun_at, d.begun_by, d.told_at, d.has_csr
FROM site s
JOIN setting g ON g.site_id = s.id
LEFT JOIN draft d ON d.site_id = s.id
LEFT JOIN given_up u ON u.site_id = s.id
LEFT JOIN renewal r ON r.site_id = s.id AND r.certificate_id = s.held_id
LEFT JOIN certificate c ON c.id = s.held_id
LEFT JOIN calendar k ON k.ca_id = c.ca_id AND k.profile = g.profile
WHERE s.id = :id;

-- Wanted ones first: the first is the name that the site goes by.
-- name: site_load_names
SELECT n.id, n.name, n.is_wanted, n.is_held, n.passed_at, n.refused_until, n.validated_at, n.caa_refuses,
	v.at AS served_at, coalesce(v.is_ok, 0) AS served_is_ok, coalesce(v.is_held, 0) AS served_is_held,
	v.not_after AS served_not_after, coalesce(v.fingerprint, zeroblob(32)) AS served_fingerprint,
	g.at AS good_at, coalesce(g.nameservers, '') AS good_nameservers, coalesce(g.addresses, '') AS good_addresses, coalesce(g.ours, '') AS good_ours, coalesce(g.caa, '') AS good_caa, coalesce(g.server, '') AS good_server, coalesce(g.issuer, '') AS good_issuer, coalesce(g.redirect, '') AS good_redirect,
	l.at AS last_at, coalesce(l.nameservers, '') AS last_nameservers, coalesce(l.addresses, '') AS last_addresses, coalesce(l.ours, '') AS last_ours, coalesce(l.caa, '') AS last_caa, coalesce(l.server, '') AS last_server, coalesce(l.issuer, '') AS last_issuer, coalesce(l.redirect, '') AS last_redirect,
	n.own_redirect
FROM name n INDEXED BY name_order
LEFT JOIN served v ON v.name_id = n.id
LEFT JOIN sighting g ON g.name_id = n.id AND g.is_good = 1
LEFT JOIN sighting l ON l.name_id = n.id AND l.is_good = 0
WHERE n.site_id = :site_id AND (n.is_wanted = 1 OR n.is_held = 1)
ORDER BY n.is_wanted DESC, n.position, n.id
LIMIT :max;

-- name: site_load_findings
SELECT cause, subject, seen, wanted, copy, company, evidence, acts,
	first_seen, last_seen, next_look, told_at, times_seen, is_from_order, mends, mended_at
FROM finding
WHERE site_id = :site_id AND gone_at IS NULL
ORDER BY position, id;

-- name: site_save
UPDATE site SET doing = :doing, doing_since = :doing_since, job = :job,
	held_id = :held_id, held_from = :held_from, held_to = :held_to, held_fingerprint = :held_fingerprint,
	held_is_live = :held_is_live, held_is_own = :held_is_own, held_is_spread = :held_is_spread,
	order_id = :order_id, order_failures = :order_failures, retry_at = :retry_at, retry_is_law = :retry_is_law,
	checked_at = :checked_at, look_at = :look_at, deploy_failures = :deploy_failures, deploy_at = :deploy_at,
	verify_failures = :verify_failures, put_backs = :put_backs, applied_digest = :applied_digest, applied_redirect = :applied_redirect,
	applied_hsts = :applied_hsts, renewals_good = :renewals_good, jitter = :jitter,
	asked_check = :asked_check, asked_renew = :asked_renew, is_removed = :is_removed, is_revoking = :is_revoking,
	story_open = :story_open, reminders_told = :reminders_told, expired_told = :expired_told,
	issued_told = :issued_told, letter_at = :letter_at, wake = :wake, clock_s = :clock_s,
	lane = :lane, lane_draws = :lane_draws, late_at = :late_at,
	ca_id = :ca_id, left_ca_id = :left_ca_id, left_at = :left_at, left_is_law = :left_is_law
WHERE id = :id;

-- A removed site lets its names go to others. A row that is as it should be is not written.
-- name: site_save_name
UPDATE name SET is_held = :is_held, passed_at = :passed_at, refused_until = :refused_until, validated_at = :validated_at,
	caa_refuses = :caa_refuses, own_redirect = :own_redirect, is_taken = is_wanted AND NOT :is_removed
WHERE id = :id AND site_id = :site_id AND (is_held <> :is_held OR passed_at IS NOT :passed_at OR refused_until IS NOT :refused_until
	OR validated_at IS NOT :validated_at OR caa_refuses <> :caa_refuses OR own_redirect <> :own_redirect OR is_taken <> (is_wanted AND NOT :is_removed));

-- name: site_save_served
INSERT INTO served (name_id, at, is_ok, is_held, not_after, fingerprint)
VALUES (:name_id, :at, :is_ok, :is_held, :not_after, :fingerprint)
ON CONFLICT (name_id) DO UPDATE SET at = excluded.at, is_ok = excluded.is_ok, is_held = excluded.is_held,
	not_after = excluded.not_after, fingerprint = excluded.fingerprint
WHERE at IS NOT excluded.at OR is_ok <> excluded.is_ok OR is_held <> excluded.is_held
	OR not_after IS NOT excluded.not_after OR fingerprint <> excluded.fingerprint;

-- name: site_forget_served
DELETE FROM served WHERE name_id = :name_id;

-- name: site_save_sighting
INSERT INTO sighting (name_id, is_good, at, nameservers, addresses, ours, caa, server, issuer, redirect)
VALUES (:name_id, :is_good, :at, :nameservers, :addresses, :ours, :caa, :server, :issuer, :redirect)
ON CONFLICT (name_id, is_good) DO UPDATE SET at = excluded.at, nameservers = excluded.nameservers,
	addresses = excluded.addresses, ours = excluded.ours, caa = excluded.caa, server = excluded.server,
	issuer = excluded.issuer, redirect = excluded.redirect;

-- name: site_forget_sighting
DELETE FROM sighting WHERE name_id = :name_id AND is_good = 0;

-- name: site_save_draft
UPDATE draft SET begun_at = :begun_at, told_at = :told_at
WHERE site_id = :site_id AND (begun_at IS NOT :begun_at OR told_at IS NOT :told_at);

-- name: finding_open
SELECT id, subject, cause FROM finding INDEXED BY finding_open WHERE site_id = :site_id AND gone_at IS NULL;

-- name: finding_gone
UPDATE finding SET gone_at = :now WHERE id = :id;

-- name: finding_save
INSERT INTO finding (site_id, subject, cause, position, seen, wanted, copy, company, evidence, acts,
	first_seen, last_seen, next_look, told_at, times_seen, is_from_order, mends, mended_at)
VALUES (:site_id, :subject, :cause, :position, :seen, :wanted, :copy, :company, :evidence, :acts,
	:first_seen, :last_seen, :next_look, :told_at, :times_seen, :is_from_order, :mends, :mended_at)
ON CONFLICT (site_id, subject, cause) WHERE gone_at IS NULL DO UPDATE SET position = excluded.position,
	seen = excluded.seen, wanted = excluded.wanted, copy = excluded.copy, company = excluded.company,
	evidence = excluded.evidence, acts = excluded.acts, first_seen = excluded.first_seen,
	last_seen = excluded.last_seen, next_look = excluded.next_look, told_at = excluded.told_at,
	times_seen = excluded.times_seen, is_from_order = excluded.is_from_order,
	mends = excluded.mends, mended_at = excluded.mended_at
WHERE position <> excluded.position OR seen <> excluded.seen OR wanted <> excluded.wanted
	OR copy <> excluded.copy OR company <> excluded.company OR evidence <> excluded.evidence
	OR acts <> excluded.acts OR first_seen IS NOT excluded.first_seen OR last_seen IS NOT excluded.last_seen
	OR next_look IS NOT excluded.next_look OR told_at IS NOT excluded.told_at
	OR times_seen <> excluded.times_seen OR is_from_order <> excluded.is_from_order
	OR mends <> excluded.mends OR mended_at IS NOT excluded.mended_at;

-- name: draft_discard
DELETE FROM draft WHERE site_id = :site_id;

-- name: source_put
UPDATE setting SET source = :source WHERE site_id = :site_id;

-- name: wish_put
INSERT INTO wish (site_id, kind, at) VALUES (:site_id, :kind, :at) ON CONFLICT (site_id, kind) DO NOTHING;

-- name: wishes
SELECT id, site_id, kind FROM wish ORDER BY id LIMIT :max;

-- name: wish_done
DELETE FROM wish WHERE id = :id;
