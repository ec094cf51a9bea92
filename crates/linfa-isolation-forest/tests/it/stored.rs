//! Storing forests and getting them back.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_isolation_forest::IsolationForest;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::rows::{cloud, fit};

fn forest(level: usize) -> IsolationForest<f64> {
    let dataset = DatasetBase::from(cloud(40, 3, 1)).with_feature_names(vec!["a", "b", "c"]);
    let params = IsolationForest::params().trees(4).sample_size(16).extension_level(level).contamination(0.1);
    params.seed(u64::MAX).fit(&dataset).unwrap()
}

fn refusal(stored: Value) -> String {
    serde_json::from_value::<IsolationForest<f64>>(stored).unwrap_err().to_string()
}

#[test]
fn what_comes_back_is_what_was_stored() {
    for level in [0, 1] {
        let forest = forest(level);
        let text = serde_json::to_string(&forest).unwrap();
        let back: IsolationForest<f64> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, forest);
        assert_eq!(back.feature_names(), ["a", "b", "c"]);
        let rows = cloud(100, 3, 2);
        assert_eq!(back.try_scores(&rows).unwrap(), forest.try_scores(&rows).unwrap());
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
}

#[test]
fn a_forest_goes_on_renewing_itself_as_if_it_had_not_been_stored() {
    let mut forest = forest(0);
    forest.replace_oldest(3, &cloud(30, 3, 5)).unwrap();
    let mut back: IsolationForest<f64> =
        serde_json::from_value(serde_json::to_value(&forest).unwrap()).unwrap();
    forest.replace_oldest(2, &cloud(30, 3, 6)).unwrap();
    back.replace_oldest(2, &cloud(30, 3, 6)).unwrap();
    assert_eq!(back, forest);
}

#[test]
fn singles_come_back_and_are_not_taken_for_doubles() {
    let rows = cloud(40, 2, 1).mapv(|value| value as f32);
    let forest = IsolationForest::params().trees(3).fit(&DatasetBase::from(rows)).unwrap();
    let stored = serde_json::to_value(&forest).unwrap();
    assert_eq!(serde_json::from_value::<IsolationForest<f32>>(stored.clone()).unwrap(), forest);
    assert_eq!(refusal(stored), "the forest is over f32 and not over f64");
}

#[test]
fn what_is_not_known_is_refused() {
    let stored = serde_json::to_value(forest(0)).unwrap();
    let with = |field: &str, value: Value| {
        let mut changed = stored.clone();
        changed[field] = value;
        refusal(changed)
    };
    assert_eq!(with("format", json!("pickle")), "this is \"pickle\" and not a forest");
    assert_eq!(with("version", json!(2)), "version 2 of the format is not known, only 1 is");
    assert!(with("colour", json!("green")).starts_with("unknown field `colour`"));
    let mut shorter = stored.clone();
    shorter.as_object_mut().unwrap().remove("seed");
    assert_eq!(refusal(shorter), "missing field `seed`");
}

#[test]
fn every_changed_field_is_noticed() {
    for level in [0, 1] {
        let stored = serde_json::to_value(forest(level)).unwrap();
        let fields = stored.as_object().unwrap();
        for (name, value) in fields {
            let mut changed = stored.clone();
            changed[name] = match value {
                Value::Number(number) => json!(number.as_u64().unwrap() ^ 1),
                Value::String(text) => json!(format!("{text}x")),
                Value::Array(items) if items.is_empty() => continue,
                Value::Array(items) => json!(items[1..]),
                Value::Null | Value::Bool(_) | Value::Object(_) => panic!("{name} is {value}"),
            };
            serde_json::from_value::<IsolationForest<f64>>(changed).expect_err(name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_refused(place in any::<prop::sample::Index>(), bits in 1u8..=255, level in 0usize..2) {
        let forest = forest(level);
        let mut bytes = serde_json::to_vec(&forest).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= bits;
        prop_assert!(serde_json::from_slice::<IsolationForest<f64>>(&bytes).is_err(), "byte {place}");
    }

    #[test]
    fn a_cut_file_is_refused(place in any::<prop::sample::Index>()) {
        let bytes = serde_json::to_vec(&forest(0)).unwrap();
        let cut = &bytes[..place.index(bytes.len())];
        prop_assert!(serde_json::from_slice::<IsolationForest<f64>>(cut).is_err());
    }

    #[test]
    fn round_trips_are_identical(rows in 1usize..50, columns in 1usize..5, seed in any::<u64>(), trees in 1usize..6) {
        let params = IsolationForest::params().trees(trees).seed(seed).extension_level(usize::from(columns > 2));
        let forest = fit(params, &(cloud(rows, columns, seed) * 1e100)).unwrap();
        let stored = serde_json::to_vec(&forest).unwrap();
        prop_assert_eq!(serde_json::from_slice::<IsolationForest<f64>>(&stored).unwrap(), forest);
    }
}
