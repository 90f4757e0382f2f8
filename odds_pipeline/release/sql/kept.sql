-- `kept`: what was `released` of the indicators that are `held`. Kept values say of which release they are;
-- those already kept go on saying it.
CREATE OR REPLACE TEMP TABLE kept AS
SELECT r.* REPLACE (
    'Valeurs de l’édition ' || coalesce(nullif(regexp_extract(
        reserve, '^Valeurs de l’édition ([0-9]+)', 1), ''), $number::VARCHAR)
    || ' : la règle ' || h.rule || ' a échoué.' || coalesce(' ' || nullif(trim(
        regexp_replace(reserve, '^Valeurs de l’édition [0-9]+ : [^.]*[.]', '')), ''), '') AS reserve)
FROM released r JOIN held h USING (indicator)
