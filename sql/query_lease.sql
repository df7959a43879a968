-- Which of several engines on this store acts.

-- name: lease
SELECT holder, fence, ends_ms FROM lease WHERE id = 1;

-- name: lease_take
UPDATE lease SET holder = :holder, fence = fence + 1, ends_ms = :ends_ms WHERE id = 1 AND fence = :fence;

-- name: lease_keep
UPDATE lease SET ends_ms = :ends_ms WHERE id = 1 AND fence = :fence;

-- name: lease_give
UPDATE lease SET holder = '', ends_ms = 0 WHERE id = 1 AND fence = :fence;
