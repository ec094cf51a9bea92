//! BIND as the holder of the demo's record, with the zone and the policy that `deploy/bind` shows.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use tokio::process::Command;

const EXAMPLE: &str = include_str!("../../../deploy/bind/named.conf.local");
/// The key of a server that listens on loopback only, and only while the demo runs.
const SECRET: &str = "dGhlIGtleSBvZiB0aGUgZGVtbywgbm8gc2VjcmV0IQ==";

/// Lays out the server's files in a folder of its own, and gives the command that starts it.
pub(super) fn command(
    program: &Path,
    folder: &Path,
    address: SocketAddr,
    record: &str,
) -> anyhow::Result<Command> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = |name: &str| folder.join(name).display().to_string();
    let (key, zone, secret) = (path("redrover.key"), path("demo.test.zone"), path("secret"));
    fs::write(&secret, SECRET)?;
    fs::write(&key, format!("key \"redrover\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n"))?;
    fs::write(
        &zone,
        format!(
            "$TTL 5\n@ IN SOA ns1.demo.test. hostmaster.demo.test. (1 60 60 3600 5)\n@ IN NS ns1.demo.test.\n\
             ns1 IN A {}\n{record}\n",
            address.ip()
        ),
    )?;
    let example = EXAMPLE
        .replace("/etc/bind/redrover.key", &key)
        .replace("/var/lib/bind/example.com.zone", &zone)
        .replace("example.com", "demo.test");
    let (own, ip, port) = (folder.display(), address.ip(), address.port());
    let options = format!(
        "options {{ directory \"{own}\"; pid-file none; session-keyfile none; managed-keys-directory \"{own}\";\n\
         listen-on port {port} {{ {ip}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no; }};\n\
         controls {{ }};\n"
    );
    fs::write(path("named.conf"), options + &example)?;
    // The distribution confines the server at its usual path to its usual folders, so a copy is started.
    let copy = folder.join("named");
    fs::copy(program, &copy).with_context(|| format!("cannot copy {}", program.display()))?;
    let mut command = Command::new(copy);
    command.args(["-g", "-n", "1", "-c"]).arg(path("named.conf"));
    Ok(command)
}

/// What the record's configuration says of such a server.
pub(super) fn record(folder: &Path, address: SocketAddr) -> String {
    let secret = folder.join("secret");
    format!(
        "provider: rfc2136, server: \"{address}\", zone: demo.test, name_servers: [\"{address}\"], \
         tsig: {{name: redrover, algorithm: hmac-sha256, secret_file: \"{}\"}}",
        secret.display()
    )
}
