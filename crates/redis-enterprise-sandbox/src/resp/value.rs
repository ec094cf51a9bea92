//! Replies.

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A status.
    Status(&'static str),
    /// An error.
    Error(String),
    /// A number.
    Number(i64),
    /// Bytes, or nothing.
    Bulk(Option<Vec<u8>>),
    /// Several.
    Array(Vec<Value>),
    /// Pairs; a flat array in the second version of the protocol.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Bulk(Some(text.into().into_bytes()))
    }

    /// Writes it in a version of the protocol.
    pub fn write(&self, is_third: bool, out: &mut Vec<u8>) {
        match self {
            Self::Status(text) => out.extend(format!("+{text}\r\n").bytes()),
            Self::Error(text) => out.extend(format!("-{text}\r\n").bytes()),
            Self::Number(number) => out.extend(format!(":{number}\r\n").bytes()),
            Self::Bulk(None) if is_third => out.extend(b"_\r\n"),
            Self::Bulk(None) => out.extend(b"$-1\r\n"),
            Self::Bulk(Some(bytes)) => {
                out.extend(format!("${}\r\n", bytes.len()).bytes());
                out.extend(bytes);
                out.extend(b"\r\n");
            }
            Self::Array(values) => {
                out.extend(format!("*{}\r\n", values.len()).bytes());
                values.iter().for_each(|value| value.write(is_third, out));
            }
            Self::Map(pairs) => {
                let (sign, length) = if is_third { ('%', pairs.len()) } else { ('*', pairs.len() * 2) };
                out.extend(format!("{sign}{length}\r\n").bytes());
                for (key, value) in pairs {
                    key.write(is_third, out);
                    value.write(is_third, out);
                }
            }
        }
    }
}
