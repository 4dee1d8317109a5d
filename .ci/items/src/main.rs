//! Lists the items of the rustdoc JSON that the argument names: what is derived, but no blanket and no auto trait implementations.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args().nth(1).ok_or("the file is missing")?;
    let builder = public_api::Builder::from_rustdoc_json(json);
    let listed = builder.omit_blanket_impls(true).omit_auto_trait_impls(true).build()?;
    listed.items().for_each(|item| println!("{item}"));
    Ok(())
}
