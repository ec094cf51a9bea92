//! What must not matter, does not: units, constant columns, the order of columns, what is no number.

use proptest::prelude::*;

use super::{Follower, Judgement, Recipe, Table, Threshold, TrainError, train};

const PERIOD_SECONDS: u32 = 600;
const TRAIN_ROWS: usize = 5 * 144;
const TEST_ROWS: usize = 200;

/// Three columns with a day's course, noise that is the same for ever, and trouble near the end.
fn numbers(row: usize) -> [f64; 3] {
    let noise = |column: u64| {
        let mut bits =
            (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ column.wrapping_mul(0xd1b5_4a32_d192_ed03);
        bits = (bits ^ bits >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (bits >> 40) as f64 / (1_u64 << 24) as f64
    };
    let hour = (row % 144) as f64 / 144.0 * std::f64::consts::TAU;
    let trouble = if row >= TRAIN_ROWS + 150 { 40.0 } else { 0.0 };
    [100.0 + 30.0 * hour.sin() + 4.0 * noise(1), 50.0 + 8.0 * noise(2) + trouble, noise(3)]
}

/// Rows of a shape, before and after the border, and what came of those after it.
fn judge<const N: usize>(names: [&str; N], shape: impl Fn(usize, [f64; 3]) -> [f64; N]) -> Vec<Judgement> {
    follow(names, &shape, |row| shape(row, numbers(row)))
}

fn follow<const N: usize>(
    names: [&str; N],
    past: impl Fn(usize, [f64; 3]) -> [f64; N],
    then: impl Fn(usize) -> [f64; N],
) -> Vec<Judgement> {
    let mut table = Table::new(names);
    for row in 0..TRAIN_ROWS {
        table.push(time(row), &past(row, numbers(row)), true);
    }
    let mut follower = Follower::new(train(&table, &recipe(7)).unwrap(), Threshold::default());
    for row in 0..TRAIN_ROWS {
        follower.recall(table.times()[row], table.row(row));
    }
    let mut order: Vec<usize> = (0..N).collect();
    order.sort_by_key(|column| names[*column]);
    let rows = TRAIN_ROWS..TRAIN_ROWS + TEST_ROWS;
    rows.map(|row| {
        let cells = then(row);
        let cells: Vec<f64> = order.iter().map(|column| cells[*column]).collect();
        follower.push(time(row), &cells).expect("every row has a score")
    })
    .collect()
}

fn recipe(seed: u64) -> Recipe {
    Recipe { period_seconds: PERIOD_SECONDS, seed, rules: Vec::new() }
}

fn time(row: usize) -> i64 {
    row as i64 * i64::from(PERIOD_SECONDS)
}

fn plain() -> Vec<Judgement> {
    judge(["a", "b", "c"], |_, row| row)
}

#[test]
fn trouble_is_an_alarm_at_once_and_little_else_is() {
    let judged = plain();
    assert!(judged[150].is_alarm(), "{:?}", judged[150]);
    let early = judged[..150].iter().filter(|judgement| judgement.is_alarm()).count();
    assert!(early <= 4, "{early} alarms in a day without trouble");
    let least = judged[150..180].iter().map(|judgement| judgement.look.score).fold(f64::INFINITY, f64::min);
    assert!(least > 2.0, "{least}");
}

#[test]
fn the_forest_blames_what_deviates() {
    let mut table = Table::new(["a", "b", "c"]);
    (0..TRAIN_ROWS).for_each(|row| table.push(time(row), &numbers(row), true));
    let mut follower = Follower::new(train(&table, &recipe(7)).unwrap(), Threshold::default());
    (0..TRAIN_ROWS).for_each(|row| follower.recall(time(row), &numbers(row)));
    let (mut gains, mut deviations) = (Vec::new(), Vec::new());
    for row in TRAIN_ROWS..=TRAIN_ROWS + 150 {
        follower.push(time(row), &numbers(row)).expect("a score");
    }
    follower.stream().gains(&mut gains);
    follower.stream().deviations(&mut deviations);
    for blame in [gains, deviations] {
        assert!(blame[1] > 0.0 && blame[1] > 2.0 * blame[0].max(blame[2]), "{blame:?}");
    }
}

#[test]
fn units_do_not_matter() {
    // Powers of two are scaled without rounding.
    let scaled = judge(["a", "b", "c"], |_, [a, b, c]| [a * 1024.0, b / 65_536.0, c * 2.0_f64.powi(40)]);
    assert_eq!(scaled, plain());
    let metric = judge(["a", "b", "c"], |_, [a, b, c]| [a * 1000.0, b * 0.3, c * 7.0]);
    let apart =
        metric.iter().zip(plain()).filter(|(one, other)| (one.look.score - other.look.score).abs() > 0.02);
    assert_eq!(apart.count(), 0);
}

#[test]
fn a_constant_column_does_not_matter() {
    assert_eq!(judge(["a", "b", "c", "still"], |_, [a, b, c]| [a, b, c, 17.0]), plain());
    assert_eq!(judge(["0", "a", "b", "c"], |_, [a, b, c]| [0.0, a, b, c]), plain());
}

#[test]
fn the_order_of_columns_does_not_matter() {
    assert_eq!(judge(["c", "a", "b"], |_, [a, b, c]| [c, a, b]), plain());
}

#[test]
fn another_seed_gives_another_forest_and_nearly_the_same_scores() {
    let table = || {
        let mut table = Table::new(["a", "b", "c"]);
        (0..TRAIN_ROWS).for_each(|row| table.push(time(row), &numbers(row), true));
        table
    };
    let [one, same, other] = [1, 1, 2].map(|seed| train(&table(), &recipe(seed)).unwrap());
    assert_eq!(one, same);
    assert_ne!(one.model, other.model);
    let far = one.scores.iter().zip(&other.scores).filter(|(one, other)| (**one - **other).abs() > 0.5);
    assert!(far.count() <= one.scores.len() / 100);
}

#[test]
fn rows_that_are_not_usual_are_not_learned_from() {
    let table = |flood: bool, usual: bool| {
        let mut table = Table::new(["a", "b", "c"]);
        for row in 0..TRAIN_ROWS {
            let is_flood = flood && (300..340).contains(&row);
            let [a, b, c] = numbers(row);
            table.push(time(row), &if is_flood { [a + 1e6, b, c] } else { [a, b, c] }, usual || !is_flood);
        }
        train(&table, &recipe(1)).unwrap().model
    };
    let expected = |model: &super::Model| model.usual(time(TRAIN_ROWS), 0).high;
    assert!(expected(&table(true, true)) > 1e5, "learned from, it is usual");
    assert!(expected(&table(true, false)) < 200.0);
}

#[test]
fn too_little_is_refused() {
    let mut table = Table::new(["a"]);
    (0..80).for_each(|row| table.push(row * 60, &[row as f64], true));
    let error = train(&table, &recipe(1)).unwrap_err();
    assert!(matches!(error, TrainError::Rows { rows: 56 }), "{error}");
    let none = Table::new::<String>([]);
    assert!(matches!(train(&none, &recipe(1)).unwrap_err(), TrainError::Columns { columns: 0 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever a row holds, its score is a number, also right after, and the limit stays one.
    #[test]
    fn what_is_no_number_never_reaches_a_score(
        odd in prop::collection::vec(
            (0..TEST_ROWS, 0..3_usize, prop::num::f64::ANY),
            1..40,
        )
    ) {
        let then = |row: usize| {
            let mut cells = numbers(row);
            let here = odd.iter().filter(|(at, ..)| TRAIN_ROWS + at == row);
            here.for_each(|(_, column, value)| cells[*column] = *value);
            cells
        };
        for judgement in follow(["a", "b", "c"], |_, row| row, then) {
            prop_assert!(judgement.look.score.is_finite() && judgement.look.score >= 0.0);
            prop_assert!(judgement.limit.is_some_and(f64::is_finite));
        }
    }

    /// Gaps in the past do not reach a model either. They leave less to judge by, so trouble may need a second row.
    #[test]
    fn gaps_in_the_past_are_borne(
        odd in prop::collection::vec((0..TRAIN_ROWS, 0..3_usize, prop::num::f64::ANY), 1..200)
    ) {
        let mut rows: Vec<[f64; 3]> = (0..TRAIN_ROWS).map(numbers).collect();
        for (row, column, value) in odd {
            rows[row][column] = if value.is_finite() { f64::NAN } else { value };
        }
        let judged = follow(["a", "b", "c"], |row, _| rows[row], numbers);
        prop_assert!(judged.iter().all(|judgement| judgement.look.score.is_finite()));
        prop_assert!(judged[150..154].iter().any(Judgement::is_alarm));
    }
}
