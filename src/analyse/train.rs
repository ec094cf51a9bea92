//! From a table to a model that may be used, with the scores that its limit begins with.

use super::model::{Model, Recipe, Table, TrainError};
use super::stream::Stream;

/// So many tenths of the rows are given to the model whose scores set the limit; the rest is not seen by it.
const FIT_TENTHS: usize = 7;
const DAY_SECONDS: usize = 86_400;

/// A model, and what it takes to use it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Trained {
    /// The model, fitted on all rows.
    pub model: Model,
    /// Scores of the youngest rows, by a model that was fitted on the older ones alone.
    pub scores: Vec<f64>,
}

/// Trains a model.
///
/// The limit must not rest on rows that its model was fitted on. So a first model is fitted on the older seven tenths,
/// and scores the younger three; the model to be used is then fitted on all, for it must know the last days as well.
///
/// # Errors
/// There is too little to learn from.
pub fn train(table: &Table, recipe: &Recipe) -> Result<Trained, TrainError> {
    let older = older_rows(table.rows(), recipe.period_seconds);
    let mut stream = Stream::new(Model::fit(&table.head(older), recipe)?);
    let mut scores = Vec::new();
    for row in 0..table.rows() {
        let is_new = row >= older;
        match stream.push(table.times()[row], table.row(row), is_new) {
            Some(look) if table.is_usual(row) => scores.push(look.score),
            _ => {}
        }
    }
    Ok(Trained { model: Model::fit(table, recipe)?, scores })
}

/// Whole days, where there is one.
fn older_rows(rows: usize, period_seconds: u32) -> usize {
    let day = (DAY_SECONDS / period_seconds.max(1) as usize).max(1);
    let older = rows * FIT_TENTHS / 10;
    if older > day { older / day * day } else { older }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_rows_are_whole_days_where_there_are_any() {
        for (rows, period, older) in
            [(8640, 300, 6048), (5760, 300, 4032), (23_700, 60, 15_840), (1440, 60, 1008), (100, 86_400, 70)]
        {
            assert_eq!(older_rows(rows, period), older, "{rows} rows");
        }
    }
}
