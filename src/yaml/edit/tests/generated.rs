//! Values as authors write them: with comments, in several layouts.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::super::quote;

/// Keys and texts, some of which YAML reads as something else unless they are quoted.
fn word() -> impl Strategy<Value = String> {
    let odd = [
        "",
        "yes",
        "0644",
        "~",
        "<<",
        "- a",
        "a: b",
        "# a",
        "*a",
        "a\nb\n",
        "one\n\n two",
        " a",
        "a'b\"c",
        "{a}",
        "é",
        "1.5",
    ];
    prop_oneof![
        4 => "[a-z]{1,6}",
        1 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ]
}

/// Any value.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

/// A text that holds a value, written one way or another as the choices say.
pub fn written(value: &Value, choices: Vec<u8>) -> String {
    let mut author = Author {
        out: String::new(),
        choices,
        made: 0,
        comments: 0,
        step: 2,
        dash: 0,
    };
    author.step = author.pick(&[2, 4, 2]);
    author.dash = author.pick(&[0, 2]);
    let newline = author.pick(&["\n", "\n", "\r\n"]);
    let ends = author.pick(&["\n", "", "\n# end\n", "\n\n---\n# next\n", "\n...\n"]);
    author.out = author.pick(&["", "# first\n---\n", "\u{feff}"]).to_owned();
    if let Value::Object(members) = value {
        author.mapping(members, 0);
    }
    let own = author.out.trim_end_matches('\n').len();
    author.out.truncate(own);
    author.out.push_str(ends);
    author.out.replace('\n', newline)
}

struct Author {
    out: String,
    choices: Vec<u8>,
    made: usize,
    comments: usize,
    step: usize,
    dash: usize,
}

impl Author {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let choice = usize::from(self.choices[self.made % self.choices.len()]);
        self.made += 1;
        from[(choice + self.made / self.choices.len()) % from.len()]
    }

    fn line(&mut self, column: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn comment(&mut self) {
        self.comments += 1;
        let comment = format!("# comment {}", self.comments);
        self.out.push_str(&comment);
    }

    fn trail(&mut self) {
        if self.pick(&[false, false, true]) {
            self.out.push(' ');
            self.comment();
        }
    }

    /// Comments and blank lines above an entry, and its line.
    fn begin(&mut self, column: usize) {
        match self.pick(&[0, 0, 0, 0, 1, 2, 3]) {
            1 => {
                self.line(column);
                self.comment();
            }
            2 => self.out.push('\n'),
            3 => {
                self.line(column + 1);
                self.comment();
            }
            _ => {}
        }
        self.line(column);
    }

    fn mapping(&mut self, members: &Map<String, Value>, column: usize) {
        for (index, (key, value)) in members.iter().enumerate() {
            if index > 0 {
                self.begin(column);
            }
            let quote = self.pick(&['"', '\'']);
            self.out.push_str(&quote::scalar(key, quote, false));
            self.out.push(':');
            self.below(value, column);
        }
    }

    fn below(&mut self, value: &Value, column: usize) {
        let flow = self.pick(&[false, false, false, true]);
        match value {
            Value::Object(members) if !members.is_empty() && !flow => {
                self.trail();
                self.begin(column + self.step);
                self.mapping(members, column + self.step);
            }
            Value::Array(items) if !items.is_empty() && !flow => {
                self.trail();
                self.begin(column + self.dash);
                self.list(items, column + self.dash);
            }
            Value::Null if flow => self.trail(),
            other => {
                self.out.push(' ');
                self.scalar(other, column + self.step);
            }
        }
    }

    fn list(&mut self, items: &[Value], column: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.begin(column);
            }
            self.out.push_str("- ");
            match item {
                Value::Object(members) if !members.is_empty() => self.mapping(members, column + 2),
                Value::Array(items) if !items.is_empty() => self.list(items, column + 2),
                other => self.scalar(other, column + 2),
            }
        }
    }

    fn scalar(&mut self, value: &Value, column: usize) {
        let quote = self.pick(&['"', '\'']);
        match value {
            Value::String(text) => {
                if let Some((mark, lines)) = quote::lines(text).filter(|_| quote == '"') {
                    self.lines(mark, &lines, column);
                } else {
                    self.out.push_str(&quote::scalar(text, quote, false));
                    self.trail();
                }
            }
            other => {
                let lines = self.pick(&[false, false, true]);
                self.flow(other, column, lines);
                self.trail();
            }
        }
    }

    fn lines(&mut self, mark: &str, lines: &[&str], column: usize) {
        self.out.push('|');
        self.out.push_str(mark);
        self.trail();
        for line in lines {
            self.line(if line.is_empty() { 0 } else { column });
            self.out.push_str(line);
        }
    }

    fn flow(&mut self, value: &Value, column: usize, lines: bool) {
        let (marks, entries): (_, Vec<(Option<&String>, &Value)>) = match value {
            Value::Object(members) => (
                ['{', '}'],
                members
                    .iter()
                    .map(|(key, value)| (Some(key), value))
                    .collect(),
            ),
            Value::Array(items) => (['[', ']'], items.iter().map(|item| (None, item)).collect()),
            Value::String(text) => return self.out.push_str(&quote::scalar(text, '"', true)),
            other => return self.out.push_str(&other.to_string()),
        };
        self.out.push(marks[0]);
        let count = entries.len();
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if lines {
                self.line(column + 2);
            }
            if let Some(key) = key {
                self.out.push_str(&quote::scalar(key, '"', true));
                self.out.push_str(": ");
            }
            self.flow(value, column + 2, lines);
            if index + 1 < count {
                self.out.push_str(if lines { "," } else { ", " });
            }
            if lines {
                self.trail();
            }
        }
        if lines && count > 0 {
            self.line(column);
        }
        self.out.push(marks[1]);
    }
}
