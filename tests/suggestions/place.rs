//! Where code belongs in the source of a case, as far as its tokens tell.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The tokens around an error.
pub struct Place<'s> {
    source: &'s str,
    at: Range<usize>,
    /// A struct, an enum, ..
    item: Vec<TokenTree>,
    /// A field or a variant.
    field: Option<Vec<TokenTree>>,
}

/// New code for a range of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub range: Range<usize>,
    pub code: String,
}

impl Edit {
    /// Removes a part of a list, with its comma.
    pub fn remove_part(source: &str, mut range: Range<usize>) -> Self {
        range.end += usize::from(source[range.end..].starts_with(','));
        Self { range, code: String::new() }
    }
}

impl<'s> Place<'s> {
    pub fn of(source: &'s str, at: Range<usize>) -> Self {
        let tokens: TokenStream = source.parse().unwrap();
        let item = item(&trees(tokens), &at).unwrap_or_else(|| panic!("no item at {at:?}"));
        let has_fields = item.iter().any(|tree| ["struct", "enum"].contains(&&*tree.to_string()));
        let body = item.iter().filter_map(group).find(|group| group.delimiter() != Delimiter::Bracket);
        let field = body.filter(|_| has_fields).and_then(|body| part(body, true, &at));
        Self { source, at, item, field }
    }

    /// What to remove so that the error goes away: the field, or the item without one.
    pub fn smallest_part(&self) -> Range<usize> {
        whole(self.field.as_ref().unwrap_or(&self.item))
    }

    /// Removes the option at the place, or what is underlined.
    pub fn remove(&self) -> Edit {
        let options = self.options();
        // Without its event there is no `on(..)`.
        let on = options.iter().rev().nth(1).filter(|outer| outer[0].to_string() == "on");
        let is_event = |option: &&Vec<TokenTree>| whole(option) == self.at;
        if &self.source[self.at.clone()] == "," {
            return Edit { range: self.at.clone(), code: String::new() };
        }
        match on.filter(|_| options.last().is_some_and(|option| is_event(&option))).or(options.last()) {
            Some(option) => self.remove_option(option),
            None => Edit { range: self.at.clone(), code: String::new() },
        }
    }

    /// Removes the option with this key that stands beside the one at the place, or else what [`remove`](Self::remove) does.
    pub fn remove_named(&self, key: &str) -> Edit {
        let attribute = self.attribute().map(|attribute| trees(attribute.stream())).unwrap_or_default();
        let list = attribute.last().and_then(group);
        let words = list.map(|list| trees(list.stream())).unwrap_or_default();
        let word = words.iter().find(|tree| tree.to_string() == key);
        match word.and_then(|word| part(list?, false, &range(word))) {
            Some(option) if range(&option[0]) != self.at => self.remove_option(&option),
            _ => self.remove(),
        }
    }

    /// Without its last option, the attribute goes as well.
    fn remove_option(&self, option: &[TokenTree]) -> Edit {
        let attribute = self.attribute().expect("an attribute").span().byte_range();
        let is_all = |inside: Range<usize>| whole(option) == (inside.start + 1..inside.end - 1);
        if is_all(attribute.clone()) {
            return Edit { range: attribute.start - 1..attribute.end, code: String::new() };
        }
        Edit::remove_part(self.source, whole(option))
    }

    /// Puts code behind what is underlined.
    pub fn write_behind(&self, code: &str) -> Edit {
        let space = if code.starts_with('.') { "" } else { " " };
        Edit { range: self.at.end..self.at.end, code: format!("{space}{code}") }
    }

    /// Puts a doc comment in front of the field, or of the item.
    pub fn document(&self, comment: &str) -> Edit {
        let start = self.smallest_part().start;
        Edit { range: start..start, code: format!("{comment}\n") }
    }

    /// The struct or enum around a field.
    pub fn item(&self) -> Self {
        Self { source: self.source, at: self.at.clone(), item: self.item.clone(), field: None }
    }

    /// Puts code in the place of the option of the same name, of the type of the same name, or of what is underlined. A message
    /// at an option names the type to replace, if that is not the type of the field.
    pub fn write(&self, code: &str, named: &[&str]) -> Edit {
        if code.starts_with("impl ") {
            return Edit { range: self.source.len()..self.source.len(), code: format!("\n{code}") };
        }
        if let Some(attribute) = code.strip_prefix("#[") {
            return self.write_attribute(attribute);
        }
        if !self.item.iter().any(|tree| ["struct", "enum"].contains(&&*tree.to_string())) {
            // The arguments of a `macro_rules!` macro, which writes the rest.
            return Edit { range: self.at.clone(), code: value_of(code).to_owned() };
        }
        let name = first_word(code);
        let is_type = name.starts_with(char::is_uppercase) && !code.ends_with(')');
        let options = self.options();
        let same = options.iter().rev().find(|option| option[0].to_string() == name && option.len() > 1);
        let key = options.last().filter(|option| is_option(code) && range(&option[0]) == self.at);
        if let Some(option) = same.or(key).filter(|_| !is_type) {
            return self.write_option(option, code);
        }
        let range = match &self.field {
            Some(field) if is_type && self.attribute().is_some() => self.named_type(field, named),
            Some(field) if is_type => enclosing_type(field, &name, &self.at),
            Some(_) if self.attribute().is_none() && is_option(code) => return self.add(code),
            _ => self.at.clone(),
        };
        Edit { range, code: code.to_owned() }
    }

    fn named_type(&self, field: &[TokenTree], named: &[&str]) -> Range<usize> {
        let whole_type = field_type(field);
        let mut inside = types(field).map(|(_, ty)| ty).filter(|ty| contains(&whole_type, ty));
        inside.find(|ty| named.contains(&&self.source[ty.clone()])).unwrap_or(whole_type)
    }

    /// `on(Event)` in place of the event alone keeps the options of the event.
    fn write_option(&self, option: &[TokenTree], code: &str) -> Edit {
        let inside = option.get(1).and_then(group).map(|options| trees(options.stream())).unwrap_or_default();
        let keeps = inside.len() > 1 && inside[1].to_string() == "," && range(&inside[0]) == self.at;
        match code.split_once('(').and_then(|(_, code)| code.strip_suffix(')')).filter(|_| keeps) {
            Some(event) => Edit { range: self.at.clone(), code: event.to_owned() },
            None => Edit { range: whole(option), code: code.to_owned() },
        }
    }

    /// Adds an option to those of the field, or of the struct without one. It takes the place of an option of this name.
    pub fn add(&self, option: &str) -> Edit {
        self.add_to(if self.field.is_some() { "dimension" } else { "metric" }, option)
    }

    /// Adds an option to the attribute of this name.
    pub fn add_to(&self, name: &str, option: &str) -> Edit {
        let owner = self.field.as_ref().unwrap_or(&self.item);
        let Some(options) = attributes(owner).find_map(|attribute| options(&attribute, name)) else {
            let start = owner.iter().scan(false, |after_hash, tree| {
                let is_attribute = tree.to_string() == "#" || *after_hash;
                *after_hash = tree.to_string() == "#";
                Some((is_attribute, tree))
            });
            let start =
                start.skip_while(|(is_attribute, _)| *is_attribute).map(|(_, tree)| range(tree).start);
            let start = start.take(1).next().unwrap();
            return Edit { range: start..start, code: format!("#[{name}({option})] ") };
        };
        let key = first_word(option);
        let given = trees(options.stream());
        let mut same = given.split(|tree| tree.to_string() == ",");
        let same = same.find(|given| given.first().is_some_and(|word| word.to_string() == key));
        if let Some(same) = same.filter(|_| key != "on") {
            return Edit { range: whole(same), code: option.to_owned() };
        }
        let end = options.span_close().byte_range().start;
        let comma = match given.last() {
            None => "",
            Some(last) if last.to_string() == "," => " ",
            Some(_) => ", ",
        };
        Edit { range: end..end, code: format!("{comma}{option}") }
    }

    fn write_attribute(&self, attribute: &str) -> Edit {
        let brackets = self.attribute().expect("an attribute");
        let inner = trees(brackets.stream());
        let has_parentheses = matches!(inner.last(), Some(TokenTree::Group(_)));
        let code = attribute.strip_suffix(']').unwrap();
        if has_parentheses {
            return Edit { range: range(&inner[0]), code: first_word(code) };
        }
        Edit { range: whole(&inner), code: code.to_owned() }
    }

    /// The attribute at the place.
    fn attribute(&self) -> Option<Group> {
        let owner = self.field.as_ref().unwrap_or(&self.item);
        attributes(owner).find(|attribute| contains(&attribute.span().byte_range(), &self.at))
    }

    /// The options around the place, from the outermost to the innermost one.
    fn options(&self) -> Vec<Vec<TokenTree>> {
        let mut options: Vec<Vec<TokenTree>> = Vec::new();
        let Some(mut group) = self.attribute() else { return options };
        while let Some(option) = part(&group, false, &self.at) {
            let mut inner = option.iter().filter_map(self::group);
            let inner = inner.find(|group| contains(&group.span().byte_range(), &self.at)).cloned();
            options.push(option);
            let Some(inner) = inner else { break };
            group = inner;
        }
        options
    }
}

/// Where the struct or enum with this name begins.
pub fn begin_of_type(source: &str, name: &str) -> Option<usize> {
    let is_of_a_word = |next: char| next.is_alphanumeric() || next == '_';
    let declared = ["struct", "enum"].iter().find_map(|keyword| {
        let declaration = format!("{keyword} {name}");
        let starts: Vec<_> = source.match_indices(&declaration).map(|(start, _)| start).collect();
        let mut places = starts.into_iter().map(|start| start..start + declaration.len());
        places.find(|at| !source[at.end..].starts_with(is_of_a_word))
    })?;
    Some(whole(&item(&trees(source.parse().unwrap()), &declared)?).start)
}

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

fn range(tree: &TokenTree) -> Range<usize> {
    tree.span().byte_range()
}

fn whole(trees: &[TokenTree]) -> Range<usize> {
    range(&trees[0]).start..range(&trees[trees.len() - 1]).end
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn group(tree: &TokenTree) -> Option<&Group> {
    if let TokenTree::Group(group) = tree { Some(group) } else { None }
}

fn first_word(code: &str) -> String {
    let code = code.parse::<TokenStream>().ok();
    code.and_then(|code| code.into_iter().next()).map(|tree| tree.to_string()).unwrap_or_default()
}

/// Whether code is `key = value` or `key(value)`.
fn is_option(code: &str) -> bool {
    let code: Vec<_> = code.parse().map(trees).unwrap_or_default();
    matches!(&*code, [TokenTree::Ident(_), next, ..] if next.to_string() == "=" || group(next).is_some())
}

/// The value of an option, or the code itself.
fn value_of(code: &str) -> &str {
    let inside = code.split_once('(').and_then(|(_, inside)| inside.strip_suffix(')'));
    let value = code.split_once(" = ").map(|(_, value)| value);
    if is_option(code) { value.or(inside).unwrap_or(code) } else { code }
}

/// The innermost item at a place.
fn item(trees: &[TokenTree], at: &Range<usize>) -> Option<Vec<TokenTree>> {
    let ends = |tree: &TokenTree| {
        tree.to_string() == ";" || group(tree).is_some_and(|group| group.delimiter() == Delimiter::Brace)
    };
    let items = trees.split_inclusive(ends);
    let found = items.filter(|item| !item.is_empty()).find(|item| contains(&whole(item), at))?;
    let has_items = found.iter().any(|tree| ["mod", "fn", "impl"].contains(&&*tree.to_string()));
    let body = found.last().and_then(group).filter(|_| has_items).map(|body| self::trees(body.stream()));
    body.and_then(|body| item(&body, at)).or_else(|| Some(found.to_vec()))
}

/// The part of a comma-separated list that is at a place. Types have commas between `<` and `>`.
fn part(list: &Group, of_types: bool, at: &Range<usize>) -> Option<Vec<TokenTree>> {
    let mut depth = 0;
    let mut in_closure = false;
    let mut before = String::new();
    let trees = trees(list.stream());
    let parts = trees.split(|tree| {
        let text = tree.to_string();
        match &*text {
            "<" if of_types => depth += 1,
            ">" if of_types && before != "-" && before != "=" => depth -= 1,
            // The parameters of a closure.
            "|" => in_closure = !of_types && !in_closure && ["", "=", ",", "move"].contains(&&*before),
            _ => {}
        }
        before.clone_from(&text);
        text == "," && depth == 0 && !in_closure
    });
    parts.filter(|part| !part.is_empty()).find(|part| contains(&whole(part), at)).map(<[_]>::to_vec)
}

/// What stands between `#[` and `]`.
fn attributes(owner: &[TokenTree]) -> impl Iterator<Item = Group> {
    owner.windows(2).filter(|pair| pair[0].to_string() == "#").filter_map(|pair| group(&pair[1]).cloned())
}

/// The parentheses of the attribute, if it has this name.
fn options(attribute: &Group, name: &str) -> Option<Group> {
    match &*trees(attribute.stream()) {
        [word, TokenTree::Group(options)] if word.to_string() == name => Some(options.clone()),
        _ => None,
    }
}

/// The type of a field: all that follows the first `:`.
fn field_type(field: &[TokenTree]) -> Range<usize> {
    let colon = field.iter().position(|tree| tree.to_string() == ":").unwrap();
    whole(&field[colon + 1..])
}

/// The innermost type of this name around a place, or else the type that is there.
fn enclosing_type(field: &[TokenTree], name: &str, at: &Range<usize>) -> Range<usize> {
    let mut around = types(field).filter(|(_, ty)| contains(ty, at)).collect::<Vec<_>>().into_iter();
    let named = around.clone().find(|(word, _)| word == name);
    named.or_else(|| around.find(|(_, ty)| ty.start == at.start)).map_or_else(|| at.clone(), |(_, ty)| ty)
}

/// The first words and the places of all types of a field, inner ones first.
fn types(field: &[TokenTree]) -> impl Iterator<Item = (String, Range<usize>)> {
    let types = (0..field.len()).rev().map(|start| &field[start..]);
    types.map(|ty| (ty[0].to_string(), range(&ty[0]).start..end_of_type(ty)))
}

/// The end of a type that begins with a name: that of its angle brackets, if it has some.
fn end_of_type(trees: &[TokenTree]) -> usize {
    let mut depth = 0;
    for (index, tree) in trees.iter().enumerate().skip(1) {
        depth += match &*tree.to_string() {
            "<" => 1,
            ">" => -1,
            _ => 0,
        };
        if depth == 0 {
            return if index == 1 { range(&trees[0]).end } else { range(tree).end };
        }
    }
    range(&trees[0]).end
}
