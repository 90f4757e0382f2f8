-- Macros that the statements of this folder share.
CREATE OR REPLACE TEMP MACRO month_number(month) AS
    CAST(left(month, 4) AS INTEGER) * 12 + CAST(right(month, 2) AS INTEGER);
-- The different reserves of several figures; a list, empty nearly always, costs less than a DISTINCT.
CREATE OR REPLACE TEMP MACRO reserves_of(reserve) AS CASE WHEN count(reserve) > 0 THEN array_to_string(
    list_sort(list_distinct(list(reserve) FILTER (WHERE reserve IS NOT NULL))), ' ') END;
-- Why a result is hidden, of figures hidden for several reasons: the strongest.
CREATE OR REPLACE TEMP MACRO hidden_by_of(hidden_by) AS
    CASE WHEN bool_or(hidden_by = 'producteur') THEN 'producteur'
         WHEN bool_or(hidden_by = 'primaire') THEN 'primaire' ELSE any_value(hidden_by) END;
