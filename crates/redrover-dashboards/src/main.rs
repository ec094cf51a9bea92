//! Writes all dashboards: `cargo run -p redrover-dashboards` puts them into `dashboards/`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards");
    std::fs::create_dir_all(&folder)?;
    for (name, text) in redrover_dashboards::all() {
        std::fs::write(folder.join(name), text)?;
        println!("dashboards/{name}");
    }
    Ok(())
}
