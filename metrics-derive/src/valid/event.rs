use syn::Data;

use crate::ast::Event;
use crate::ctxt::Ctxt;
use crate::name;

impl Event {
    /// Reports the mistakes of an event.
    pub fn validate(&self, cx: &Ctxt) {
        if let Data::Union(data) = &self.input.data {
            cx.error(data.union_token, "`#[metric_event]` goes on a struct or an enum");
        }
        name::check(cx, &self.name);
        for lifetime in self.input.generics.lifetimes() {
            cx.error(&lifetime.lifetime, "metric events must be `'static`: own the data or use `Arc<str>`");
        }
    }
}
