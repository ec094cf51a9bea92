//! A dashboard: rows of panels, and the variables above them.

use serde_json::{Value, json};

use super::panel::{Panel, datasource};

/// Grafana's grid.
const COLUMNS: u32 = 24;
/// The form of the JSON that this is written for: Grafana 11 and 12 read it.
const SCHEMA_VERSION: u32 = 41;

/// A dashboard in the making.
pub struct Board {
    uid: &'static str,
    title: &'static str,
    description: &'static str,
    link: (&'static str, &'static str),
    variables: Vec<Value>,
    rows: Vec<(&'static str, Vec<Panel>)>,
}

impl Board {
    /// An empty dashboard that leads to another one: its title and its uid.
    pub fn new(
        uid: &'static str,
        title: &'static str,
        description: &'static str,
        link: (&'static str, &'static str),
    ) -> Self {
        let source = json!({
            "name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source",
            "refresh": 1, "hide": 0, "multi": false, "includeAll": false, "options": [],
        });
        Self { uid, title, description, link, variables: vec![source], rows: Vec::new() }
    }

    /// One of the values of a label.
    pub fn choice(self, name: &'static str, label: &'static str, query: &'static str) -> Self {
        self.variable(name, label, query, false)
    }

    /// Some of the values of a label, or all.
    pub fn choices(self, name: &'static str, label: &'static str, query: &'static str) -> Self {
        self.variable(name, label, query, true)
    }

    fn variable(
        mut self,
        name: &'static str,
        label: &'static str,
        query: &'static str,
        is_many: bool,
    ) -> Self {
        let mut variable = json!({
            "name": name, "type": "query", "label": label, "datasource": datasource(),
            "query": {"query": query, "refId": name},
            // Read anew when the time range changes: what came since has its place.
            "refresh": 2, "sort": 1, "hide": 0, "multi": is_many, "includeAll": is_many, "options": [],
        });
        if is_many {
            variable["allValue"] = json!(".*");
            variable["current"] = json!({"text": ["All"], "value": ["$__all"]});
        }
        self.variables.push(variable);
        self
    }

    /// One more row.
    pub fn row(mut self, title: &'static str, panels: impl IntoIterator<Item = Panel>) -> Self {
        self.rows.push((title, panels.into_iter().collect()));
        self
    }

    /// The JSON that Grafana imports.
    pub fn json(&self) -> Value {
        let (mut panels, mut id, mut y) = (Vec::new(), 1, 0);
        for (title, row) in &self.rows {
            panels.push(json!({
                "id": id, "type": "row", "title": title, "collapsed": false, "panels": [],
                "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
            }));
            id += 1;
            y += 1;
            let (mut x, mut height) = (0, 0);
            for panel in row {
                if x + panel.columns() > COLUMNS {
                    (x, y, height) = (0, y + height, 0);
                }
                panels.push(panel.json(id, x, y));
                id += 1;
                x += panel.columns();
                height = height.max(panel.rows());
            }
            y += height;
        }
        let (link, uid) = self.link;
        json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["redrover", "redis"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": true,
            "graphTooltip": 1,
            "refresh": "10s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": self.variables},
            "links": [{
                "type": "link", "title": link, "url": format!("/d/{uid}"), "icon": "dashboard",
                "includeVars": true, "keepTime": true, "targetBlank": false, "asDropdown": false,
                "tags": [], "tooltip": "",
            }],
            "panels": panels,
        })
    }
}
