-- Macros for the 95 % confidence interval of a count among a population; `side` is -1 for its lower limit.
CREATE OR REPLACE TEMP MACRO deviate() AS 1.959963984540054;
CREATE OR REPLACE TEMP MACRO wilson(events, people, side) AS
    (2 * events + deviate() * deviate()
        + side * deviate() * sqrt(deviate() * deviate() + 4 * events * (1 - events / people)))
    / 2 / (people + deviate() * deviate());
-- Byar's approximation serves from ten events on, as public-health observatories do; its upper limit is that
-- of one event more.
CREATE OR REPLACE TEMP MACRO byar(events, side) AS
    events * pow(1 - 1 / (9 * events) + side * deviate() / (3 * sqrt(events)), 3);
