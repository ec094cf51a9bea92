//! Where messages end up: servers of our own for HTTP and SMTP, which keep every byte. Plain threads and sockets: they
//! share no code with the clients that they check.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Longest line that is taken, bytes (RFC 5322, section 2.1.1, with its end).
const LINE_BYTES_MAX: usize = 1000;

/// A request, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The request line, such as `POST /hook HTTP/1.1`.
    pub line: String,
    /// The headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A header by its name in small letters; panics where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("no header {name}: {self:?}")).1
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body is text")
    }
}

/// A server that takes every POST, and answers as it is told.
pub struct HttpSink {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<VecDeque<String>>>,
}

impl HttpSink {
    /// Starts it; it answers 200 `ok` unless told otherwise.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (requests, answers) = (Arc::default(), Arc::default());
        let sink = Self { address, requests: Arc::clone(&requests), answers: Arc::clone(&answers) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (requests, answers) = (Arc::clone(&requests), Arc::clone(&answers));
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream);
                    while let Some(request) = read_request(&mut reader) {
                        requests.lock().expect("no thread panics").push(request);
                        let told = answers.lock().expect("no thread panics").pop_front();
                        let answer = told.unwrap_or_else(|| answer(200, "", "ok"));
                        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        sink
    }

    /// Answers the next requests so, one after the other: status, header lines, body.
    pub fn will_answer(&self, answers: &[(u16, &str, &str)]) {
        let answers = answers.iter().map(|(status, headers, body)| answer(*status, headers, body));
        self.answers.lock().expect("no thread panics").extend(answers);
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no thread panics").clone()
    }
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let line = read_line(reader)?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ")?;
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(Some(0), |(_, length)| length.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line, headers, body })
}

/// A line without its end, which must be CR LF.
fn read_line(reader: &mut impl BufReadAny) -> Option<String> {
    let line = reader.line()?;
    assert!(line.len() <= LINE_BYTES_MAX, "a line is too long: {line:?}");
    let line =
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("a line does not end with CR LF: {line:?}"));
    Some(line.to_owned())
}

/// Lines of a plain or an encrypted stream.
trait BufReadAny {
    fn line(&mut self) -> Option<String>;
}

impl<R: Read> BufReadAny for BufReader<R> {
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.read_line(&mut line).ok()?;
        (read > 0).then_some(line)
    }
}

/// How a mail server protects its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// `STARTTLS`.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The receivers of the envelope.
    pub to: Vec<String>,
    /// Everything between DATA and the lone dot, dots undone.
    pub data: String,
    /// Whether it came over TLS.
    pub is_secure: bool,
    /// Who had logged in.
    pub user: Option<String>,
}

/// What a mail server insists on.
#[derive(Debug, Clone)]
pub struct SmtpRules {
    /// How connections are protected.
    pub security: Security,
    /// The only user and password; `None` takes mail from anybody.
    pub login: Option<(&'static str, &'static str)>,
    /// The one method of authentication that it offers.
    pub method: &'static str,
    /// Receivers that it answers so.
    pub refused: Vec<(&'static str, &'static str)>,
}

/// A strict mail server.
pub struct SmtpSink {
    address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl SmtpSink {
    /// Starts it, with a certificate and its key in PEM files.
    pub fn start(rules: SmtpRules, certificate: &Path, key: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mails = Arc::default();
        let sink = Self { address, mails: Arc::clone(&mails) };
        let tls = server_config(certificate, key);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (rules, tls, mails) = (rules.clone(), Arc::clone(&tls), Arc::clone(&mails));
                thread::spawn(move || serve(stream, &rules, &tls, &mails));
            }
        });
        sink
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// All mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("no thread panics").clone()
    }
}

fn server_config(certificate: &Path, key: &Path) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(certificate).expect("a certificate");
    let chain = chain.collect::<Result<_, _>>().expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the usual versions")
        .with_no_client_auth();
    Arc::new(config.with_single_cert(chain, key).expect("certificate and key belong together"))
}

type Secure = StreamOwned<ServerConnection, TcpStream>;

fn secured(stream: TcpStream, tls: &Arc<ServerConfig>) -> Secure {
    StreamOwned::new(ServerConnection::new(Arc::clone(tls)).expect("a server"), stream)
}

fn serve(stream: TcpStream, rules: &SmtpRules, tls: &Arc<ServerConfig>, mails: &Mutex<Vec<Mail>>) {
    if rules.security == Security::Implicit {
        let mut session = Session::new(secured(stream, tls), rules, true);
        session.say("220 sink.test ESMTP");
        session.talk(mails);
        return;
    }
    let mut session = Session::new(stream, rules, false);
    session.say("220 sink.test ESMTP");
    if session.talk(mails) == Next::Secure {
        let mut session = Session::new(secured(session.reader.into_inner(), tls), rules, true);
        session.talk(mails);
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    End,
    Secure,
}

struct Session<'a, S: Read + Write> {
    reader: BufReader<S>,
    rules: &'a SmtpRules,
    is_secure: bool,
    is_greeted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a, S: Read + Write> Session<'a, S> {
    fn new(stream: S, rules: &'a SmtpRules, is_secure: bool) -> Self {
        let reader = BufReader::new(stream);
        Self { reader, rules, is_secure, is_greeted: false, user: None, from: None, to: Vec::new() }
    }

    fn say(&mut self, line: &str) {
        // A client that has gone away is noticed at the next read.
        let _ = self.reader.get_mut().write_all(format!("{line}\r\n").as_bytes());
        let _ = self.reader.get_mut().flush();
    }

    fn talk(&mut self, mails: &Mutex<Vec<Mail>>) -> Next {
        while let Some(line) = read_line(&mut self.reader) {
            let (verb, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
            match verb {
                "EHLO" => self.greet(rest),
                "STARTTLS" if self.rules.security == Security::StartTls && !self.is_secure => {
                    self.say("220 go ahead");
                    return Next::Secure;
                }
                "AUTH" if self.is_secure => self.authenticate(rest),
                "QUIT" => {
                    self.say("221 bye");
                    return Next::End;
                }
                _ if !self.is_greeted => self.say("503 EHLO first"),
                _ if self.rules.login.is_some() && self.user.is_none() => self.say("530 log in first"),
                "MAIL" => match inside(rest, "FROM:<") {
                    Some(from) => {
                        self.from = Some(from);
                        self.say("250 ok");
                    }
                    None => self.say("501 MAIL FROM:<address>"),
                },
                "RCPT" if self.from.is_some() => self.receiver(rest),
                "DATA" if !self.to.is_empty() => self.data(mails),
                _ => self.say("503 not now"),
            }
        }
        Next::End
    }

    fn greet(&mut self, name: &str) {
        assert!(name.starts_with('[') && name.ends_with(']'), "no address literal: {name}");
        self.is_greeted = true;
        self.say("250-sink.test");
        if self.is_secure {
            self.say(&format!("250-AUTH {}", self.rules.method));
        } else if self.rules.security == Security::StartTls {
            self.say("250-STARTTLS");
        }
        self.say("250 SIZE 1000000");
    }

    fn authenticate(&mut self, rest: &str) {
        let decode = |text: &str| {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
            String::from_utf8(bytes).expect("text")
        };
        let given = match rest.split_once(' ') {
            Some(("PLAIN", proof)) if self.rules.method == "PLAIN" => decode(proof),
            None if rest == "LOGIN" && self.rules.method == "LOGIN" => {
                self.say("334 VXNlcm5hbWU6");
                let user = decode(&read_line(&mut self.reader).unwrap_or_default());
                self.say("334 UGFzc3dvcmQ6");
                let password = decode(&read_line(&mut self.reader).unwrap_or_default());
                format!("\0{user}\0{password}")
            }
            Some(_) | None => return self.say("504 not that method"),
        };
        match self.rules.login {
            Some((user, password)) if given == format!("\0{user}\0{password}") => {
                self.user = Some(user.to_owned());
                self.say("235 welcome");
            }
            Some(_) | None => self.say("535 wrong user or password"),
        }
    }

    fn receiver(&mut self, rest: &str) {
        let Some(to) = inside(rest, "TO:<") else { return self.say("501 RCPT TO:<address>") };
        match self.rules.refused.iter().find(|(refused, _)| *refused == to) {
            Some((_, answer)) => self.say(answer),
            None => {
                self.to.push(to);
                self.say("250 ok");
            }
        }
    }

    fn data(&mut self, mails: &Mutex<Vec<Mail>>) {
        self.say("354 end with a dot");
        let mut data = String::new();
        while let Some(line) = read_line(&mut self.reader) {
            if line == "." {
                let mail = Mail {
                    from: self.from.take().unwrap_or_default(),
                    to: std::mem::take(&mut self.to),
                    data,
                    is_secure: self.is_secure,
                    user: self.user.clone(),
                };
                mails.lock().expect("no thread panics").push(mail);
                return self.say("250 taken");
            }
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
            data.push_str("\r\n");
        }
    }
}

fn inside(text: &str, before: &str) -> Option<String> {
    let inner = text.strip_prefix(before)?.strip_suffix('>')?;
    (inner.contains('@') && !inner.contains(['<', '>', ' '])).then(|| inner.to_owned())
}
