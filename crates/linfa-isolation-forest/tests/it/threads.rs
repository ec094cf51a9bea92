//! The number of threads changes nothing.

use linfa_isolation_forest::IsolationForest;

use crate::rows::{cloud, fit};

#[test]
fn forests_and_scores_are_the_same_on_any_number_of_threads() {
    let rows = cloud(3_000, 5, 1);
    let work = |level: usize| {
        let params =
            IsolationForest::params().seed(9).extension_level(level).max_features(0.8).contamination(0.01);
        let mut forest = fit(params, &rows).unwrap();
        forest.replace_oldest(30, &cloud(500, 5, 2)).unwrap();
        let scores = forest.try_scores(&rows).unwrap();
        (forest, scores)
    };
    let on = |threads: usize, level: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| work(level))
    };
    for level in [0, 1] {
        let single = on(1, level);
        for threads in [2, 3, 8] {
            assert!(single == on(threads, level), "{threads} threads, level {level}");
        }
    }
}
