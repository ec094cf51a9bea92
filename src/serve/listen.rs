//! Where to listen.

use std::fmt;
use std::str::FromStr;

use tokio::net::TcpListener;

/// A place to listen at, as Prometheus writes it: `127.0.0.1:9911`, `[::1]:9911`, `localhost:9911`, or `:9911` for every
/// address of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    host: String,
    port: u16,
}

/// Why a text is no place to listen at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write it as 127.0.0.1:9911, [::1]:9911, localhost:9911 or :9911")]
pub struct ListenAddressError;

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddressError)?;
        let port = port.parse().map_err(|_| ListenAddressError)?;
        let host = match host.strip_prefix('[') {
            Some(inside) => inside.strip_suffix(']').filter(|inside| inside.contains(':')),
            None => Some(host).filter(|host| !host.contains([':', '[', ']', '/', ' '])),
        };
        Ok(Self { host: host.ok_or(ListenAddressError)?.to_owned(), port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl ListenAddress {
    /// Listens there.
    ///
    /// # Errors
    /// The name does not resolve, or the address is taken or not this machine's.
    pub async fn bind(&self) -> std::io::Result<TcpListener> {
        if !self.host.is_empty() {
            return TcpListener::bind((self.host.as_str(), self.port)).await;
        }
        match TcpListener::bind(("::", self.port)).await {
            // A machine without IPv6.
            Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
                TcpListener::bind(("0.0.0.0", self.port)).await
            }
            bound => bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_prometheus_writes_them() {
        for (text, shown) in [
            ("127.0.0.1:9911", Some("127.0.0.1:9911")),
            ("[::1]:9911", Some("[::1]:9911")),
            ("localhost:0", Some("localhost:0")),
            (":9911", Some(":9911")),
            ("9911", None),
            ("127.0.0.1", None),
            ("::1:9911", None),
            ("[::1:9911", None),
            ("[]:9911", None),
            ("127.0.0.1:99999", None),
            ("127.0.0.1:", None),
            ("http://127.0.0.1:9911", None),
            ("", None),
        ] {
            let read = text.parse::<ListenAddress>();
            assert_eq!(read.ok().map(|address| address.to_string()).as_deref(), shown, "{text}");
        }
    }

    #[tokio::test]
    async fn an_empty_host_is_every_address() {
        let listener = ":0".parse::<ListenAddress>().unwrap().bind().await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok());
    }
}
