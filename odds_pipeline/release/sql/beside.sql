-- What was `compared`, in the database in use. The merged territories before their merger are apart; readers
-- find them through in_geography().
CREATE OR REPLACE TABLE indicator_values AS SELECT * EXCLUDE converted FROM compared WHERE NOT converted;
CREATE OR REPLACE TABLE converted_values AS SELECT * EXCLUDE converted FROM compared WHERE converted;
