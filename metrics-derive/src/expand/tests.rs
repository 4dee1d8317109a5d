//! Generated code for a reviewer to read: `expansions/NAME.expanded.rs` is the expansion of `expansions/NAME.rs`.
//! `UPDATE_EXPANSIONS=1 cargo test -p mvx-metrics-derive` writes the expansions.

use std::path::Path;
use std::{env, fs};

use proc_macro2::TokenStream;
use syn::{Attribute, Item};

#[test]
fn expansions_are_as_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("expansions");
    let mut cases = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".expanded") {
            continue;
        }
        cases += 1;
        let source = fs::read_to_string(&path).unwrap();
        let expanded = prettyplease::unparse(&syn::parse2(expand(&source)).unwrap());
        assert!(!source.contains("crate =") || !expanded.contains("::mvx_metrics"), "{name} ignores `crate`");
        let reviewed = folder.join(format!("{name}.expanded.rs"));
        if env::var_os("UPDATE_EXPANSIONS").is_some() {
            fs::write(&reviewed, &expanded).unwrap();
        }
        assert_eq!(fs::read_to_string(&reviewed).unwrap(), expanded, "the expansion of {name} has changed");
    }
    assert!(cases >= 5, "only {cases} cases");
}

fn expand(source: &str) -> TokenStream {
    let item: Item = syn::parse_str(source).unwrap();
    let attributes = match &item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        _ => panic!("a struct or an enum"),
    };
    if let Some(event) = named(attributes, "metric_event") {
        return super::event(
            event.meta.require_list().unwrap().tokens.clone(),
            &without(&item, "metric_event"),
        );
    }
    let derive = named(attributes, "derive").unwrap().meta.require_list().unwrap().tokens.to_string();
    let input = syn::parse_str(source).unwrap();
    if derive.starts_with("Label") { super::label(&input) } else { super::metric(&input) }
}

fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.path().is_ident(name))
}

fn without(item: &Item, name: &str) -> TokenStream {
    let mut item = item.clone();
    if let Item::Struct(syn::ItemStruct { attrs, .. }) | Item::Enum(syn::ItemEnum { attrs, .. }) = &mut item {
        attrs.retain(|attribute| !attribute.path().is_ident(name));
    }
    quote::quote!(#item)
}
