use std::collections::HashMap;

use syn::{Data, Fields};

use crate::ast::{Label, Variant};
use crate::ctxt::Ctxt;
use crate::source_text::to_source;

impl Label<'_> {
    /// Reports the mistakes of a label.
    pub fn validate(&self, cx: &Ctxt) {
        if !matches!(self.input.data, Data::Enum(_)) {
            cx.error(&self.input.ident, "`Label` can only be derived for enums without data");
        }
        for Variant { ident, fields, text } in &self.variants {
            if !matches!(fields, Fields::Unit) {
                let data = to_source(fields);
                let message = format!(
                    "a `Label` cannot have data: remove `{data}` from `{ident}`, or break down by a separate field"
                );
                cx.error(fields, message);
            }
            if text.value().is_empty() {
                cx.error(text, "a label text must not be empty");
            }
        }
        report_same_texts(cx, &self.variants);
    }
}

fn report_same_texts(cx: &Ctxt, variants: &[Variant]) {
    let mut texts: HashMap<String, &Variant> = HashMap::new();
    for variant in variants {
        let text = variant.text.value();
        if let Some(first) = texts.get(&text) {
            let message = format!("duplicate label text `{text}`: give one of the variants another `name`");
            cx.error(&variant.text, message);
            cx.error(&first.text, format!("`{text}` is first used here"));
        } else {
            texts.insert(text, variant);
        }
    }
}
