-- A fingerprint of each block: rules and code ($rules), and its cells. Reads `blocks` and `current_cells`, makes
-- `block_prints`. Twelve digits: the order in which machines add up decimals changes the sixteenth.
CREATE OR REPLACE TEMP TABLE block_prints AS
SELECT b.family, b.month, concat_ws(':', $rules, count(c.variable),
    coalesce(bit_xor(md5_number_lower(concat_ws('|', c.variable, c.place,
        coalesce(printf('%.12g', c.value), '-'), coalesce(c.hidden_by, '-'), c.small, c.threshold,
        coalesce(printf('%.12g', c.lower_bound), '-')))), 0)) AS fingerprint
FROM blocks b LEFT JOIN current_cells c ON c.variable = b.variable AND c.month = b.month
GROUP BY b.family, b.month
