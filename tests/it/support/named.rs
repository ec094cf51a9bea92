//! BIND as a primary that takes signed updates, with the policy that `deploy/bind` shows.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::dns::{self, RecordType};
use super::ports::free_port;
use super::process::{Process, installed, run};

/// The zone.
pub const ZONE: &str = "example.test";
/// The name of redrover's key.
pub const KEY: &str = "redrover";
/// Redrover's key.
pub const SECRET: &str = "c2VjcmV0IG9mIHRoZSByZWRyb3ZlciBpbiB0ZXN0cyE=";
/// The key of the people who edit the zone.
const ADMIN_SECRET: &str = "c2VjcmV0IG9mIHRoZSBwZW9wbGUgaW4gYWxsIHRlc3Q=";
/// Longest run of nsupdate.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);
/// What operators are shown.
const EXAMPLE: &str = include_str!("../../../deploy/bind/named.conf.local");

/// A running name server.
pub struct Named {
    folder: TempDir,
    port: u16,
    process: Process,
}

impl Named {
    /// Starts a server whose zone holds these lines, beside its SOA and NS. Redrover's key may change the records of
    /// `names`, which are relative to the zone, and their fences.
    pub async fn start(names: &[&str], lines: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the name server");
        let port = free_port();
        write(&folder, port, names, lines);
        let mut server = Self { process: process(&folder), folder, port };
        server.wait_ready().await;
        server
    }

    /// Where it listens, UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The server's process, to stop, freeze or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts a server that was killed again, on what its disk holds.
    pub async fn restart(&mut self) {
        self.process = process(&self.folder);
        self.wait_ready().await;
    }

    /// Where the zone's journal is.
    pub fn journal(&self) -> PathBuf {
        self.folder.path().join(format!("{ZONE}.zone.jnl"))
    }

    /// Changes the zone behind redrover's back, by these lines of nsupdate.
    pub async fn edit(&self, lines: &[&str]) {
        let file = self.folder.path().join("edit");
        let port = self.port;
        let text = format!("server 127.0.0.1 {port}\nzone {ZONE}\n{}\nsend\n", lines.join("\n"));
        fs::write(&file, text).expect("the lines can be written");
        let mut command = Command::new(installed(&["nsupdate"]));
        command.args(["-t", "5", "-y", &format!("hmac-sha256:admin:{ADMIN_SECRET}")]).arg(file);
        let output = run("nsupdate", &mut command, COMMAND_LIMIT).await;
        assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    }

    /// The configuration of a record that this server holds, by its full name.
    pub fn record(&self, name: &str) -> Value {
        json!({
            "provider": "rfc2136", "server": self.address().to_string(), "zone": ZONE,
            "name": name, "type": "CNAME", "ttl": "5s", "name_servers": [self.address()],
            "tsig": {
                "name": KEY, "algorithm": "hmac-sha256", "secret_file": self.folder.path().join("redrover-secret"),
            },
        })
    }

    async fn wait_ready(&mut self) {
        let address = self.address();
        self.process
            .wait_ready(async || {
                dns::query(address, ZONE, RecordType::SOA).await.is_ok_and(|answer| answer.is_authoritative)
            })
            .await;
    }
}

fn write(folder: &TempDir, port: u16, names: &[&str], lines: &[&str]) {
    let put =
        |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file of the server");
    let path = |name: &str| folder.path().join(name).display().to_string();
    put("redrover-secret", &format!("{SECRET}\n"));
    let key = |name: &str, secret: &str| {
        format!("key \"{name}\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n")
    };
    put("redrover.key", &(key(KEY, SECRET) + &key("admin", ADMIN_SECRET)));
    let zone = format!("{ZONE}.zone");
    let head = format!(
        "$TTL 5\n@ IN SOA ns1.{ZONE}. hostmaster.{ZONE}. (1 60 60 3600 5)\n@ IN NS ns1.{ZONE}.\nns1 IN A 127.0.0.1\n"
    );
    put(&zone, &(head + &lines.join("\n") + "\n"));
    let grant = "update-policy {\n        grant admin zonesub ANY;\n";
    let mut grants = grant.to_owned();
    for name in names {
        grants += &EXAMPLE
            .lines()
            .filter(|line| line.trim_start().starts_with("grant "))
            .map(|line| line.replace("sessions.example.com", &format!("{name}.{ZONE}")) + "\n")
            .collect::<String>();
    }
    let (before, after) = EXAMPLE.split_once("update-policy {").expect("the example has a policy");
    let (_, after) = after.split_once("};").expect("the policy has an end");
    let example = format!("{before}{grants}    }};{after}")
        .replace("/etc/bind/redrover.key", &path("redrover.key"))
        .replace("/var/lib/bind/example.com.zone", &path(&zone))
        .replace("zone \"example.com\"", &format!("zone \"{ZONE}\""));
    let folder = folder.path().display();
    let options = format!(
        "options {{ directory \"{folder}\"; pid-file none; session-keyfile none; managed-keys-directory \"{folder}\";\n\
         listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
         recursion no; dnssec-validation no; notify no; allow-transfer {{ none; }}; }};\ncontrols {{ }};\n"
    );
    put("named.conf", &(options + &example));
}

fn process(folder: &TempDir) -> Process {
    // The distribution confines the server at its usual path to its usual folders, so a copy is started.
    let copy = folder.path().join("named");
    fs::copy(installed(&["named"]), &copy).expect("the server can be copied");
    let mut command = Command::new(copy);
    command.args(["-g", "-n", "1", "-c"]).arg(folder.path().join("named.conf"));
    Process::start("named", &mut command)
}

mod tests {
    use super::super::dns::ResponseCode;
    use super::*;

    #[tokio::test]
    async fn the_zone_is_served_and_edited_and_outlives_a_crash() {
        let mut server = Named::start(&["db"], &["db IN CNAME a.example.net."]).await;
        let name = format!("db.{ZONE}");
        let ask = async |server: &Named| {
            dns::query(server.address(), &name, RecordType::CNAME).await.expect("an answer")
        };
        assert_eq!(ask(&server).await.values(), ["a.example.net."]);
        server.edit(&[&format!("update delete {name} CNAME")]).await;
        assert_eq!(ask(&server).await.code, ResponseCode::NXDomain);
        server.edit(&[&format!("update add {name} 7 CNAME b.example.net.")]).await;
        server.process().kill();
        server.restart().await;
        assert_eq!(ask(&server).await.records, [("b.example.net.".to_owned(), 7)]);
    }
}
