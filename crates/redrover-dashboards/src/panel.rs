//! One panel: its queries, how its numbers are shown, and its size.

use serde_json::{Value, json};

/// The data source that the dashboard's variable names.
pub fn datasource() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// What a panel looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lines,
    Numbers,
    Bars,
}

/// A panel without a place.
#[derive(Debug, Clone)]
pub struct Panel {
    kind: Kind,
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    width: u32,
    height: u32,
    range: Option<(f64, f64)>,
    steps: Vec<(Option<f64>, &'static str)>,
    words: Vec<(u32, &'static str, &'static str)>,
    shows_names: bool,
    queries: Vec<(String, &'static str)>,
}

impl Panel {
    fn new(kind: Kind, title: &'static str, description: &'static str, width: u32) -> Self {
        Self {
            kind,
            title,
            description,
            unit: "short",
            width,
            height: if kind == Kind::Numbers { 4 } else { 8 },
            range: None,
            steps: vec![(None, "green")],
            words: Vec::new(),
            shows_names: false,
            queries: Vec::new(),
        }
    }

    /// Lines over time, a third of the width.
    pub fn lines(title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Lines, title, description, 8)
    }

    /// The present numbers.
    pub fn numbers(title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Numbers, title, description, 4)
    }

    /// The present numbers as bars.
    pub fn bars(title: &'static str, description: &'static str) -> Self {
        Self::new(Kind::Bars, title, description, 8)
    }

    /// Another width, of 24.
    pub fn width(mut self, width: u32) -> Self {
        self.width = width;
        self
    }

    /// High enough for a bar of each signal.
    pub fn tall(mut self) -> Self {
        self.height = 12;
        self
    }

    /// Grafana's name of the unit.
    pub fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// The ends of the axis.
    pub fn range(mut self, least: f64, most: f64) -> Self {
        self.range = Some((least, most));
        self
    }

    /// From this value on, this colour.
    pub fn from(mut self, value: f64, color: &'static str) -> Self {
        self.steps.push((Some(value), color));
        self
    }

    /// The colour below all others.
    pub fn base(mut self, color: &'static str) -> Self {
        self.steps[0].1 = color;
        self
    }

    /// Shows a word and a colour for a value.
    pub fn word(mut self, value: u32, word: &'static str, color: &'static str) -> Self {
        self.words.push((value, word, color));
        self
    }

    /// Shows the names of the series, not their values.
    pub fn names(mut self) -> Self {
        self.shows_names = true;
        self
    }

    /// One more query, and how its series are called.
    pub fn query(mut self, expr: impl Into<String>, legend: &'static str) -> Self {
        self.queries.push((expr.into(), legend));
        self
    }

    /// How wide it is.
    pub fn columns(&self) -> u32 {
        self.width
    }

    /// How high it is.
    pub fn rows(&self) -> u32 {
        self.height
    }

    /// The panel at its place.
    pub fn json(&self, id: u32, x: u32, y: u32) -> Value {
        let letters = ('A'..='Z').map(String::from);
        let targets: Vec<Value> = self
            .queries
            .iter()
            .zip(letters)
            .map(|((expr, legend), letter)| {
                json!({
                    "refId": letter, "datasource": datasource(), "editorMode": "code",
                    "expr": expr, "legendFormat": legend, "range": true,
                })
            })
            .collect();
        json!({
            "id": id,
            "type": match self.kind {
                Kind::Lines => "timeseries",
                Kind::Numbers => "stat",
                Kind::Bars => "bargauge",
            },
            "title": self.title,
            "description": self.description,
            "datasource": datasource(),
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.rows()},
            "targets": targets,
            "fieldConfig": {"defaults": self.defaults(), "overrides": []},
            "options": self.options(),
        })
    }

    fn defaults(&self) -> Value {
        let steps: Vec<Value> =
            self.steps.iter().map(|(value, color)| json!({"value": value, "color": color})).collect();
        let words: serde_json::Map<String, Value> = self
            .words
            .iter()
            .map(|(value, word, color)| (value.to_string(), json!({"text": word, "color": color})))
            .collect();
        let mode = if self.kind == Kind::Lines { "palette-classic" } else { "thresholds" };
        let mut defaults = json!({
            "unit": self.unit,
            "color": {"mode": mode},
            "thresholds": {"mode": "absolute", "steps": steps},
            "mappings": if words.is_empty() { json!([]) } else { json!([{"type": "value", "options": words}]) },
        });
        if let Some((least, most)) = self.range {
            (defaults["min"], defaults["max"]) = (json!(least), json!(most));
        }
        if self.kind == Kind::Lines {
            defaults["custom"] = json!({
                "drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never",
                "spanNulls": false, "axisSoftMin": 0,
            });
        }
        defaults
    }

    fn options(&self) -> Value {
        let reduced = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
        match self.kind {
            Kind::Lines => json!({
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }),
            Kind::Numbers => json!({
                "reduceOptions": reduced, "orientation": "auto", "colorMode": "value", "graphMode": "none",
                "justifyMode": "auto", "wideLayout": true, "showPercentChange": false,
                "percentChangeColorMode": "standard",
                "textMode": if self.shows_names { "name" } else { "auto" },
            }),
            Kind::Bars => json!({
                "reduceOptions": reduced, "orientation": "horizontal", "displayMode": "basic",
                "valueMode": "color", "namePlacement": "auto", "showUnfilled": true, "sizing": "auto",
                "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300,
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []},
            }),
        }
    }
}
