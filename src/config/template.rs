//! A text with places for what a message says.

/// A place in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `{{agent}}`: the agent's name.
    Agent,
    /// `{{service}}`.
    Service,
    /// `{{level}}`.
    Level,
    /// `{{kind}}`: what the message is about, as one word.
    Kind,
    /// `{{phase}}`: `alone`, `lasts`, `acknowledged` or `over`.
    Phase,
    /// `{{key}}`: the same for all messages of one incident.
    Key,
    /// `{{incident}}`: the incident's id, or nothing.
    Incident,
    /// `{{time}}`: when it happened, RFC 3339.
    Time,
    /// `{{title}}`.
    Title,
    /// `{{happened}}`.
    Happened,
    /// `{{why}}`.
    Why,
    /// `{{done}}`.
    Done,
    /// `{{todo}}`.
    Todo,
    /// `{{text}}`: the whole message as plain text.
    Text,
}

impl Place {
    /// All places, by name.
    pub const ALL: [(&'static str, Self); 14] = [
        ("agent", Self::Agent),
        ("service", Self::Service),
        ("level", Self::Level),
        ("kind", Self::Kind),
        ("phase", Self::Phase),
        ("key", Self::Key),
        ("incident", Self::Incident),
        ("time", Self::Time),
        ("title", Self::Title),
        ("happened", Self::Happened),
        ("why", Self::Why),
        ("done", Self::Done),
        ("todo", Self::Todo),
        ("text", Self::Text),
    ];
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A text as it stands.
    Text(String),
    /// A place to fill.
    Place(Place),
}

/// A template: texts and places in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

impl Template {
    /// Reads `{{place}}` in a text; says what is wrong with it.
    ///
    /// # Errors
    /// A place that has no end, or is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, behind)) = after.split_once("}}") else {
                return Err("has {{ without }}".to_owned());
            };
            let place = Place::ALL.iter().find(|(known, _)| *known == name.trim());
            let Some((_, place)) = place else { return Err("holds a place that is not known".to_owned()) };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Place(*place));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The pieces in their order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read() {
        let text = |t: &str| Piece::Text(t.to_owned());
        for (given, wanted) in [
            ("", Ok(vec![])),
            ("a } b { c", Ok(vec![text("a } b { c")])),
            ("{{title}}", Ok(vec![Piece::Place(Place::Title)])),
            (
                "{\"a\":\"{{ key }}{{why}}\"}",
                Ok(vec![text("{\"a\":\""), Piece::Place(Place::Key), Piece::Place(Place::Why), text("\"}")]),
            ),
            ("{{title", Err("has {{ without }}")),
            ("{{nope}}", Err("holds a place that is not known")),
        ] {
            let found = Template::parse(given).map(|t| t.pieces().to_vec());
            assert_eq!(found, wanted.map_err(str::to_owned), "{given}");
        }
    }
}
