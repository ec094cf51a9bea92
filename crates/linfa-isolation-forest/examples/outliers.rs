//! Finds the odd rows among measurements of a machine, and says which column made them odd.

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_isolation_forest::{IsolationForest, IsolationForestError, RobustScale};
use ndarray::{Array1, Array2};

const NAMES: [&str; 3] = ["memory", "latency", "clients"];

fn main() -> Result<(), IsolationForestError> {
    let dataset = DatasetBase::from(measurements()).with_feature_names(NAMES.to_vec());
    let rows = dataset.records();

    let forest = IsolationForest::params().trees(200).contamination(0.008).seed(7).fit(&dataset)?;
    let scale = RobustScale::fit(rows)?;
    let scores: Array1<f64> = forest.predict(&dataset);
    let labels = forest.try_labels(rows)?;

    println!("scores above {:.3} are anomalies", forest.threshold());
    let (mut contributions, mut z_scores) = ([0.0; 3], [0.0; 3]);
    for (number, row) in rows.rows().into_iter().enumerate().filter(|(number, _)| labels[*number]) {
        let row = row.to_vec();
        forest.explain_row(&row, &mut contributions)?;
        scale.z_scores(&row, &mut z_scores)?;
        println!("row {number} scores {:.3}", scores[number]);
        for (column, name) in forest.feature_names().iter().enumerate() {
            println!(
                "  {name:8} {:9.1}  adds {:+.3}, z {:+.1}",
                row[column], contributions[column], z_scores[column]
            );
        }
    }
    Ok(())
}

/// Makes a day of measurements, one a minute: memory grows for some minutes at noon, latency in the evening.
fn measurements() -> Array2<f64> {
    Array2::from_shape_fn((1_440, 3), |(minute, column)| {
        // The fraction of a multiple of a square root looks random.
        let noise = (minute as f64 * [2.0_f64, 3.0, 5.0][column].sqrt()).fract();
        match (column, minute) {
            (0, 720..726) => 900.0 + 40.0 * noise,
            (0, _) => 400.0 + 40.0 * noise,
            (1, 1_200..1_206) => 25.0 + noise,
            (1, _) => 1.0 + 0.5 * noise * noise,
            _ => 100.0 + (20.0 * noise).round(),
        }
    })
}
