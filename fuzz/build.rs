//! Copies the derive's sources, without its `lib.rs`, to where the fuzz target `derive` includes them: no program can link
//! a proc-macro crate. `lib.rs` holds the macros' entry functions and the list of modules; the list becomes `modules.rs`.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let sources = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../metrics-derive/src");
    println!("cargo::rerun-if-changed={}", sources.display());
    let copy = PathBuf::from(env::var("OUT_DIR")?).join("derive");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    copy_folder(&sources, &copy)?;
    let root = fs::read_to_string(sources.join("lib.rs"))?;
    let is_module = |line: &&str| line.starts_with("mod ") || line.starts_with("#[macro_use]");
    let modules: Vec<_> = root.lines().filter(is_module).collect();
    fs::write(copy.join("modules.rs"), modules.join("\n"))?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
