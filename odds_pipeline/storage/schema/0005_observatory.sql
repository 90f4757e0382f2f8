-- The observatory whose figures these are (`id` of assets/observatory.yaml): one row, written at the first opening.
CREATE TABLE IF NOT EXISTS observatory (
    id VARCHAR NOT NULL
);
