//! Tokens as text for messages.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// Tokens as the user would write them. Literals stay as they are.
pub fn to_source(tokens: &impl ToTokens) -> String {
    let mut writer = Writer::default();
    writer.write(tokens.to_token_stream());
    writer.text
}

/// The kind of the last token, which decides about the space in front of the next one.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    /// Nothing yet, or an opening bracket: no space.
    #[default]
    Start,
    /// A name, a literal or a closing bracket. An operator behind it has an operand on its left.
    Operand,
    /// A word such as `move` or `in`, with which an operand does not end.
    Keyword,
    /// An operator with a space on each side, or a comma.
    Spaced,
    /// An operator without a space behind it, such as `.`, `::` or a leading `&`.
    Tight,
}

/// Words that no operand ends with. A bracket behind them has a space in front.
const KEYWORDS: [&str; 14] = [
    "as", "break", "dyn", "else", "for", "if", "impl", "in", "let", "match", "move", "mut", "return", "while",
];

#[derive(Default)]
struct Writer {
    text: String,
    last: Last,
    /// How many angle brackets are open.
    generics: usize,
    /// Whether the parameters of a closure have begun, `|e`.
    in_parameters: bool,
}

impl Writer {
    fn write(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Ident(ident) => self.word(&ident.to_string()),
                TokenTree::Literal(literal) => {
                    self.space_unless(&[Last::Start, Last::Tight]);
                    self.push(&literal.to_string(), Last::Operand);
                }
                TokenTree::Punct(punct) => {
                    let mut operator = punct.as_char().to_string();
                    let mut spacing = punct.spacing();
                    while let (Spacing::Joint, Some(TokenTree::Punct(next))) = (spacing, tokens.peek()) {
                        if !joins(&operator, next.as_char()) {
                            break;
                        }
                        operator.push(next.as_char());
                        spacing = next.spacing();
                        tokens.next();
                    }
                    let before_group = matches!(tokens.peek(), Some(TokenTree::Group(_)));
                    self.operator(&operator, before_group);
                }
            }
        }
    }

    fn word(&mut self, word: &str) {
        self.space_unless(&[Last::Start, Last::Tight]);
        self.push(word, if KEYWORDS.contains(&word) { Last::Keyword } else { Last::Operand });
    }

    fn group(&mut self, delimiter: Delimiter, tokens: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{ ", " }"),
            Delimiter::None => return self.write(tokens),
        };
        if delimiter == Delimiter::Brace {
            self.space_unless(&[Last::Start, Last::Tight]);
        } else {
            self.space_unless(&[Last::Start, Last::Tight, Last::Operand]);
        }
        let inner = to_source(&tokens);
        let text = if inner.is_empty() {
            format!("{}{}", open.trim(), close.trim())
        } else {
            format!("{open}{inner}{close}")
        };
        self.push(&text, Last::Operand);
    }

    fn operator(&mut self, operator: &str, before_group: bool) {
        let after_operand = self.last == Last::Operand;
        match operator {
            "," | ";" => self.push(operator, Last::Spaced),
            "." | "::" => {
                self.space_unless(&[Last::Start, Last::Tight, Last::Operand]);
                self.push(operator, Last::Tight);
            }
            ":" => self.push(operator, Last::Spaced),
            "?" => self.push(operator, Last::Operand),
            ".." | "..=" => {
                self.space_unless(&[Last::Start, Last::Tight, Last::Operand]);
                self.push(operator, Last::Tight);
            }
            "'" | "#" | "$" => {
                self.space_unless(&[Last::Start, Last::Tight]);
                self.push(operator, Last::Tight);
            }
            // The call of a macro.
            "!" if after_operand && before_group => self.push(operator, Last::Tight),
            "<" if self.text.ends_with("::") || (after_operand && self.after_type()) => {
                self.generics += 1;
                self.push(operator, Last::Start);
            }
            ">" if self.generics > 0 => {
                self.generics -= 1;
                self.push(operator, Last::Operand);
            }
            "|" if self.in_parameters => {
                self.in_parameters = false;
                self.push(operator, Last::Spaced);
            }
            "|" if !after_operand => {
                self.space_unless(&[Last::Start, Last::Tight]);
                self.in_parameters = true;
                self.push(operator, Last::Start);
            }
            "||" if !after_operand => {
                self.space_unless(&[Last::Start, Last::Tight]);
                self.push(operator, Last::Spaced);
            }
            "&" | "&&" | "*" | "-" | "!" if !after_operand => {
                self.space_unless(&[Last::Start, Last::Tight]);
                self.push(operator, Last::Tight);
            }
            _ => {
                self.space_unless(&[Last::Start]);
                self.push(operator, Last::Spaced);
            }
        }
    }

    /// Whether the last word is spelled like a type: `<` then begins its arguments.
    fn after_type(&self) -> bool {
        let start = self.text.rfind(|character: char| !character.is_alphanumeric() && character != '_');
        let word = &self.text[start.map_or(0, |start| start + 1)..];
        word.starts_with(char::is_uppercase) && word.chars().any(char::is_lowercase)
    }

    fn space_unless(&mut self, without: &[Last]) {
        if !without.contains(&self.last) {
            self.text.push(' ');
        }
    }

    fn push(&mut self, text: &str, last: Last) {
        self.text.push_str(text);
        self.last = last;
    }
}

/// Whether a character continues an operator. `&&` in front of `|` does not.
fn joins(operator: &str, next: char) -> bool {
    let joined = format!("{operator}{next}");
    let known = [
        "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "..", "..=", "+=", "-=", "*=", "/=", "%=",
        "^=", "&=", "|=", "<<", "<<=", ">>=", "...",
    ];
    known.contains(&joined.as_str())
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;

    use super::to_source;

    #[test]
    fn tokens_read_as_users_write_them() {
        for source in [
            "matches!(e.q, \"a , b\" | \"( c )\")",
            "|e| e.items > 9 && !e.ok",
            "|e: &Saved| -> u64 { e.bytes }",
            "move |_| 1",
            "|| -1",
            "Breakdown<(u8, String), Recent<Counter, 60>>",
            "std::collections::HashMap<String, Vec<u8>>",
            "[0; N]",
            "&'static str",
            "e.parts.iter().collect::<Vec<_>>().len() as u64",
            "a < b",
            "a - -b * *c",
            "Self::on_event",
            "Saved { ok: true, .. }",
            "if e.ok { 1 } else { 2 }",
            "|&e| (e.a, &e.b)",
            "-1.5",
            "fn(&mut Self, &Event) -> bool",
            "1..=9",
            "e.first?.second",
        ] {
            let tokens: TokenStream = source.parse().unwrap();
            assert_eq!(to_source(&tokens), source);
        }
    }
}
