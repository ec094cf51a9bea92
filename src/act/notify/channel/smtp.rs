//! A client for one mail by SMTP (RFC 5321), with `STARTTLS` (RFC 3207), TLS from the first byte, and `AUTH` (RFC 4954).

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::DeliveryError;
use crate::config::{Email, SmtpTls};

/// Longest line of a reply that is accepted; RFC 5321 has 512.
const LINE_BYTES_MAX: u64 = 2048;
/// Lines of one reply.
const LINES_MAX: usize = 100;

/// Gives a mail to the server for all receivers; returns those that it refused, while it took the mail for others.
pub(super) async fn send(
    email: &Email,
    tls: Option<&Arc<ClientConfig>>,
    mail: &str,
) -> Result<Vec<String>, DeliveryError> {
    let stream = TcpStream::connect((email.host.as_str(), email.port)).await.map_err(smtp)?;
    let own = stream.local_addr().map_err(smtp)?;
    match (email.tls, tls) {
        (SmtpTls::None, _) => {
            let mut session = Session::new(stream);
            session.expect(220).await?;
            session.greet(own).await?;
            session.deliver(email, mail).await
        }
        (SmtpTls::Implicit, Some(tls)) => {
            let mut session = Session::new(secured(stream, email, tls).await?);
            session.expect(220).await?;
            session.log_in(email, own).await?;
            session.deliver(email, mail).await
        }
        (SmtpTls::StartTls, Some(tls)) => {
            let mut session = Session::new(stream);
            session.expect(220).await?;
            session.greet(own).await?;
            if !session.offers("STARTTLS") {
                return Err(DeliveryError::Protocol { detail: "does not offer STARTTLS" });
            }
            session.ask("STARTTLS", 220).await?;
            let mut session = Session::new(secured(session.bare()?, email, tls).await?);
            session.log_in(email, own).await?;
            session.deliver(email, mail).await
        }
        (SmtpTls::Implicit | SmtpTls::StartTls, None) => {
            Err(DeliveryError::Protocol { detail: "cannot be trusted without authorities" })
        }
    }
}

fn smtp(source: std::io::Error) -> DeliveryError {
    DeliveryError::Smtp { source }
}

async fn secured(
    stream: TcpStream,
    email: &Email,
    tls: &Arc<ClientConfig>,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, DeliveryError> {
    let name = ServerName::try_from(email.host.clone())
        .map_err(|error| smtp(std::io::Error::new(std::io::ErrorKind::InvalidInput, error)))?;
    TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.map_err(smtp)
}

/// The mail is larger than the server ever takes.
const TOO_LARGE: u16 = 552;

/// A reply: its code, and its lines without it.
struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// What a reply that is not the wanted one means. Credentials, rights and servers are mended by a person, and then the
    /// mail may pass, whatever the code says of the present.
    fn error(self) -> DeliveryError {
        DeliveryError::Later { detail: self.said(), pause: None }
    }

    /// What a reply to a receiver, or to the mail itself, means: some are final.
    fn verdict(self, is_final: fn(u16) -> bool) -> DeliveryError {
        match is_final(self.code) {
            true => DeliveryError::Refused { detail: self.said() },
            false => self.error(),
        }
    }

    fn said(&self) -> String {
        let said: String = self.lines.join(" ").chars().filter(|c| !c.is_control()).take(300).collect();
        format!("{} {said}", self.code)
    }
}

/// A connection to a mail server.
struct Session<S> {
    stream: BufReader<S>,
    offers: Vec<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    fn new(stream: S) -> Self {
        Self { stream: BufReader::new(stream), offers: Vec::new() }
    }

    /// The stream below, for TLS. Whatever came in clear text behind the permission to begin with TLS was not the
    /// server's.
    fn bare(self) -> Result<S, DeliveryError> {
        if self.stream.buffer().is_empty() {
            return Ok(self.stream.into_inner());
        }
        Err(DeliveryError::Protocol { detail: "spoke before TLS began" })
    }

    fn offers(&self, keyword: &str) -> bool {
        self.offers.iter().any(|offer| offer.eq_ignore_ascii_case(keyword))
    }

    /// The methods of authentication that the server offers.
    fn offers_method(&self, method: &str) -> bool {
        let methods = self.offers.iter().filter_map(|offer| {
            let (keyword, methods) = offer.split_once(' ')?;
            keyword.eq_ignore_ascii_case("AUTH").then_some(methods)
        });
        methods.flat_map(str::split_whitespace).any(|offered| offered.eq_ignore_ascii_case(method))
    }

    async fn greet(&mut self, own: SocketAddr) -> Result<(), DeliveryError> {
        let name = match own {
            SocketAddr::V4(address) => format!("[{}]", address.ip()),
            SocketAddr::V6(address) => format!("[IPv6:{}]", address.ip()),
        };
        self.offers = self.ask(&format!("EHLO {name}"), 250).await?.lines;
        Ok(())
    }

    async fn log_in(&mut self, email: &Email, own: SocketAddr) -> Result<(), DeliveryError> {
        self.greet(own).await?;
        let Some((user, password)) = &email.login else { return Ok(()) };
        if self.offers_method("PLAIN") {
            let proof = STANDARD.encode(format!("\0{user}\0{}", password.expose()));
            self.ask(&format!("AUTH PLAIN {proof}"), 235).await?;
        } else if self.offers_method("LOGIN") {
            self.ask("AUTH LOGIN", 334).await?;
            self.ask(&STANDARD.encode(user), 334).await?;
            self.ask(&STANDARD.encode(password.expose()), 235).await?;
        } else {
            return Err(DeliveryError::Protocol { detail: "offers neither AUTH PLAIN nor AUTH LOGIN" });
        }
        Ok(())
    }

    async fn deliver(&mut self, email: &Email, mail: &str) -> Result<Vec<String>, DeliveryError> {
        self.ask(&format!("MAIL FROM:<{}>", email.from), 250).await?;
        let mut refused = Vec::new();
        let mut first = None;
        for receiver in &email.to {
            self.write(&format!("RCPT TO:<{receiver}>\r\n")).await?;
            let reply = self.reply().await?;
            if !matches!(reply.code, 250..=252) {
                let error = reply.verdict(|code| (500..600).contains(&code));
                refused.push(format!("{receiver}: {error}"));
                // One that may be taken later keeps the mail from being refused as a whole.
                if first.as_ref().is_none_or(|first: &DeliveryError| !first.is_retryable()) {
                    first = Some(error);
                }
            }
        }
        if let Some(error) = first.filter(|_| refused.len() == email.to.len()) {
            return Err(error);
        }
        self.ask("DATA", 354).await?;
        self.write(&stuffed(mail)).await?;
        let reply = self.reply().await?;
        if reply.code != 250 {
            return Err(reply.verdict(|code| code == TOO_LARGE));
        }
        // The mail is the server's; how it takes a farewell does not matter.
        let _ = self.write("QUIT\r\n").await;
        Ok(refused)
    }

    async fn ask(&mut self, line: &str, wanted: u16) -> Result<Reply, DeliveryError> {
        self.write(&format!("{line}\r\n")).await?;
        self.expect(wanted).await
    }

    async fn expect(&mut self, wanted: u16) -> Result<Reply, DeliveryError> {
        let reply = self.reply().await?;
        if reply.code == wanted { Ok(reply) } else { Err(reply.error()) }
    }

    async fn write(&mut self, text: &str) -> Result<(), DeliveryError> {
        self.stream.get_mut().write_all(text.as_bytes()).await.map_err(smtp)?;
        self.stream.get_mut().flush().await.map_err(smtp)
    }

    async fn reply(&mut self) -> Result<Reply, DeliveryError> {
        let mut lines = Vec::new();
        while lines.len() < LINES_MAX {
            let mut line = Vec::new();
            let read = (&mut self.stream).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await;
            read.map_err(smtp)?;
            if !line.ends_with(b"\n") {
                break;
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let Some(code) = code.filter(|code| (200..600).contains(code)) else { break };
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
        }
        Err(DeliveryError::Protocol { detail: "gave no reply that can be understood" })
    }
}

/// A mail as DATA sends it: a dot at the beginning of a line is doubled, and a lone dot ends it.
fn stuffed(mail: &str) -> String {
    let mut out = String::with_capacity(mail.len() + 5);
    for line in mail.split_inclusive("\r\n") {
        if line.starts_with('.') {
            out.push('.');
        }
        out.push_str(line);
    }
    if !out.ends_with("\r\n") {
        out.push_str("\r\n");
    }
    out + ".\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server that says these lines makes of a mail, whether that is final, and whom it refused.
    async fn delivered(replies: &[&str]) -> Result<Vec<String>, bool> {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        theirs.write_all(format!("{}\r\n", replies.join("\r\n")).as_bytes()).await.unwrap();
        let email = Email {
            host: "mail.example.com".to_owned(),
            port: 25,
            tls: SmtpTls::None,
            login: None,
            ca_file: None,
            from: "redrover@example.com".to_owned(),
            to: vec!["anna@example.com".to_owned(), "ben@example.com".to_owned()],
        };
        Session::new(ours).deliver(&email, "hello\r\n").await.map_err(|error| !error.is_retryable())
    }

    #[tokio::test]
    async fn only_receivers_and_the_mail_itself_are_refused_for_good() {
        let (sender, one, other, data, end) = ("250 ok", "250 ok", "250 ok", "354 go on", "250 taken");
        let refused = |line: &str| Ok(vec![line.to_owned()]);
        for (replies, wanted) in [
            (&[sender, one, other, data, end][..], Ok(Vec::new())),
            (&["550 not you"], Err(false)),
            (&["530 log in first"], Err(false)),
            (&[sender, "550 nobody", "551 gone"], Err(true)),
            (&[sender, "550 nobody", "450 busy"], Err(false)),
            (
                &[sender, "550 nobody", other, data, end],
                refused("anna@example.com: the message was refused: 550 nobody"),
            ),
            (&[sender, one, other, "554 no"], Err(false)),
            (&[sender, one, other, data, "554 no disk"], Err(false)),
            (&[sender, one, other, data, "452 no space"], Err(false)),
            (&[sender, one, other, data, "552 too large"], Err(true)),
        ] {
            assert_eq!(delivered(replies).await, wanted, "{replies:?}");
        }
    }

    #[test]
    fn dots_are_doubled() {
        for (mail, wanted) in [
            ("", "\r\n.\r\n"),
            ("a\r\n.b\r\n", "a\r\n..b\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            ("a.b", "a.b\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(mail), wanted);
        }
    }
}
