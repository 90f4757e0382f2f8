-- `figures`, as they were read of what was audited, wait for the gate in `staged`.
INSERT INTO staged BY NAME
SELECT delivery, variable, month, territory, level, geography, value, obs_status, conf_status,
       lower_bound, line, lines, CAST(correction AS VARCHAR) AS correction
FROM figures;
