-- Figures, secret marks and blanks told apart in the text of cells.
-- Reads: raw_cells (one row a figure of a table), marks (what a cell says when it says no figure).
-- Makes: parsed. What is no number keeps its text in `unreadable`.
CREATE TEMP TABLE parsed AS
WITH cells AS (
    SELECT *, trim(replace(replace(raw, chr(160), ' '), chr(8239), ' ')) AS shown FROM raw_cells
), marked AS (
    SELECT c.*, m.obs_status AS mark_obs, m.conf_status AS mark_conf,
        CASE WHEN mark_obs IS NULL AND regexp_full_match(shown, $number)
                  AND (NOT suffix(shown, '%') OR list_contains($percents, variable))
             THEN TRY_CAST(replace(regexp_replace(shown, '[ %]', '', 'g'), $decimal, '.') AS DOUBLE)
        END AS number,
        -- A spreadsheet shows 123 457 as 1,23E+05: digits are lost. Programs write e, and all digits.
        TRY_CAST(regexp_extract(shown, 'E\+?(\d+)', 1) AS INTEGER)
            > length(regexp_extract(shown, '[.,](\d+)E', 1)) AS cut
    FROM cells c LEFT JOIN marks m ON replace(lower(c.shown), ' ', '') = m.mark
), numbers AS (
    SELECT *, abs(number) < $exact AND coalesce(NOT cut, true) AS whole FROM marked
)
SELECT variable, territory, level, month, reduce, line, raw, weight IS NOT NULL AS weighted,
    CASE WHEN regexp_full_match(trim(weight), $number) THEN TRY_CAST(replace(regexp_replace(
             weight, '[ %\x{00A0}\x{202F}]', '', 'g'), $decimal, '.') AS DOUBLE) END AS weight,
    CASE WHEN whole THEN number END AS value,
    coalesce(mark_obs, 'A') AS obs_status,
    coalesce(mark_conf, 'F') AS conf_status,
    CASE WHEN mark_obs IS NULL AND whole IS NOT TRUE THEN raw END AS unreadable
FROM numbers
