//! Commands from bytes: arrays of bulk strings, and single lines.

/// Most arguments of a command.
const ARGUMENTS_MAX: usize = 1024;
/// Longest argument, in bytes.
const ARGUMENT_BYTES_MAX: usize = 1 << 20;
/// Longest single line, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What the beginning of the bytes is.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A command, and how many bytes it has; an empty one is nothing.
    Command(Vec<Vec<u8>>, usize),
    /// Not enough of it is here.
    Partial,
    /// No command.
    Broken(&'static str),
}

/// Looks at the beginning of the bytes.
pub fn parse(bytes: &[u8]) -> Parsed {
    let Some((line, mut at)) = line(bytes, 0) else {
        return if bytes.len() > LINE_BYTES_MAX {
            Parsed::Broken("too big inline request")
        } else {
            Parsed::Partial
        };
    };
    let Some(count) = line.strip_prefix(b"*") else {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        return Parsed::Command(words.map(<[u8]>::to_vec).collect(), at);
    };
    let Some(count) = number(count).filter(|count| *count <= ARGUMENTS_MAX) else {
        return Parsed::Broken("invalid multibulk length");
    };
    let mut arguments = Vec::with_capacity(count);
    for _ in 0..count {
        let Some((header, start)) = self::line(bytes, at) else { return Parsed::Partial };
        let length = header.strip_prefix(b"$").and_then(number);
        let Some(length) = length.filter(|length| *length <= ARGUMENT_BYTES_MAX) else {
            return Parsed::Broken("invalid bulk length");
        };
        let Some(argument) = bytes.get(start..start + length) else { return Parsed::Partial };
        match bytes.get(start + length..start + length + 2) {
            Some(b"\r\n") => {}
            Some(_) => return Parsed::Broken("expected the end of a bulk string"),
            None => return Parsed::Partial,
        }
        arguments.push(argument.to_vec());
        at = start + length + 2;
    }
    Parsed::Command(arguments, at)
}

fn line(bytes: &[u8], from: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(from..)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    Some((rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]), from + end + 1))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_in_parts() {
        let command = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n";
        for end in 0..20 {
            assert_eq!(parse(&command[..end]), Parsed::Partial, "{end}");
        }
        assert_eq!(parse(command), Parsed::Command(vec![b"GET".to_vec(), b"k".to_vec()], 20));
        assert_eq!(parse(&command[20..]), Parsed::Command(vec![b"PING".to_vec()], 6));
        assert_eq!(parse(b"\r\n"), Parsed::Command(Vec::new(), 2));
        for broken in [&b"*x\r\n"[..], b"*1\r\n+PING\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$1\r\nkkk"] {
            assert!(matches!(parse(broken), Parsed::Broken(_)), "{broken:?}");
        }
    }
}
