-- When the wall clock was set.

-- name: clock
SELECT set_s, is_moving FROM clock WHERE id = 1;

-- name: clock_set
UPDATE clock SET set_s = :set_s, is_moving = 1 WHERE id = 1;

-- name: clock_settled
UPDATE clock SET is_moving = 0 WHERE id = 1;

-- name: clock_move_letters
UPDATE letter SET next_try = next_try + :by_s WHERE sent_at IS NULL AND next_try < 9223372036854775807;

-- name: clock_move_orders
UPDATE orders SET created = created + :by_s WHERE is_open = 1;

-- name: clock_move_tokens
UPDATE token SET at = at + :by_s;

-- name: clock_move_budgets
UPDATE budget SET tat = tat + :by_us, not_before = not_before + :by_us, line = line + :by_us;

-- name: clock_move_revocations
UPDATE revocation SET next_try = next_try + :by_s WHERE next_try IS NOT NULL;

-- name: clock_move_renewal
UPDATE renewal SET poll_at = poll_at + :by_s, polled_at = polled_at + :by_s
WHERE site_id = :site_id AND poll_at < 9223372036854775807;

-- name: clock_sites_left
SELECT id FROM site WHERE clock_s <> :set_s AND id > :after_id ORDER BY id LIMIT :max;
