//! Values as text, in block and in flow style.

use serde_json::{Map, Value};

use super::quote;
use super::style::{FlowStyle, Style};

/// The order in which people write the fields of what is added; others follow as the patch has them.
const ORDER: [&str; 22] = [
    "apiVersion",
    "kind",
    "name",
    "namespace",
    "labels",
    "annotations",
    "metadata",
    "spec",
    "exec",
    "httpGet",
    "tcpSocket",
    "grpc",
    "command",
    "path",
    "port",
    "mountPath",
    "accessModes",
    "initialDelaySeconds",
    "periodSeconds",
    "timeoutSeconds",
    "successThreshold",
    "failureThreshold",
];

/// The members of a mapping in the order in which they are written: that of another one, then [`ORDER`].
fn ordered<'v>(members: &'v Map<String, Value>, like: &[String]) -> Vec<(&'v String, &'v Value)> {
    let rank = |key: &str| {
        let known = ORDER.iter().position(|known| *known == key);
        let there = like.iter().position(|there| there == key);
        there.unwrap_or(like.len() + known.unwrap_or(ORDER.len()))
    };
    let mut ordered: Vec<_> = members.iter().collect();
    ordered.sort_by_key(|(key, _)| rank(key));
    ordered
}

/// Writes in block style.
#[derive(Debug)]
pub(super) struct Block<'s> {
    pub(super) style: &'s Style,
    /// The keys of an item beside the one that is written, in their order.
    like: Vec<String>,
    out: String,
}

impl<'s> Block<'s> {
    pub(super) fn new(style: &'s Style) -> Self {
        Self {
            style,
            like: Vec::new(),
            out: String::new(),
        }
    }

    /// Writes an item with its members in the order of another's keys.
    pub(super) fn like(self, like: Vec<String>) -> Self {
        Self { like, ..self }
    }

    /// A member of a mapping whose keys stand at a column.
    pub(super) fn member(mut self, key: &str, value: &Value, column: usize) -> String {
        self.key(key);
        self.after_key(value, column);
        self.out
    }

    /// An item of a list whose dashes stand at a column.
    pub(super) fn item(mut self, value: &Value, column: usize) -> String {
        self.dashed(value, column);
        self.out
    }

    /// What follows the colon of a key at a column.
    pub(super) fn value(mut self, value: &Value, column: usize) -> String {
        self.after_key(value, column);
        self.out
    }

    /// What stands at a column behind a dash.
    pub(super) fn behind_dash(mut self, value: &Value, column: usize) -> String {
        self.inline(value, column);
        self.out
    }

    fn key(&mut self, key: &str) {
        self.out
            .push_str(&quote::scalar(key, self.style.quote, false));
        self.out.push(':');
    }

    fn line(&mut self, column: usize) {
        self.out.push_str(self.style.newline);
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn after_key(&mut self, value: &Value, column: usize) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                self.line(column + self.style.step);
                self.mapping(members, column + self.style.step);
            }
            Value::Array(items) if !items.is_empty() => {
                self.line(column + self.style.dash);
                self.list(items, column + self.style.dash);
            }
            other => {
                self.out.push(' ');
                self.scalar(other, column + self.style.step);
            }
        }
    }

    fn mapping(&mut self, members: &Map<String, Value>, column: usize) {
        let like = std::mem::take(&mut self.like);
        for (index, (key, value)) in ordered(members, &like).into_iter().enumerate() {
            if index > 0 {
                self.line(column);
            }
            self.key(key);
            self.after_key(value, column);
        }
    }

    fn list(&mut self, items: &[Value], column: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.line(column);
            }
            self.dashed(item, column);
        }
    }

    fn dashed(&mut self, value: &Value, column: usize) {
        self.out.push('-');
        self.out
            .extend(std::iter::repeat_n(' ', self.style.gap - 1));
        self.inline(value, column + self.style.gap);
    }

    fn inline(&mut self, value: &Value, column: usize) {
        match value {
            Value::Object(members) if !members.is_empty() => self.mapping(members, column),
            Value::Array(items) if !items.is_empty() => self.list(items, column),
            other => self.scalar(other, column),
        }
    }

    /// A scalar, or what is empty. The lines of a text stand at a column.
    fn scalar(&mut self, value: &Value, column: usize) {
        let Value::String(text) = value else {
            self.out.push_str(&value.to_string());
            return;
        };
        let Some((mark, lines)) = quote::lines(text) else {
            self.out
                .push_str(&quote::scalar(text, self.style.quote, false));
            return;
        };
        self.out.push('|');
        self.out.push_str(mark);
        for line in lines {
            if line.is_empty() {
                self.out.push_str(self.style.newline);
            } else {
                self.line(column);
                self.out.push_str(line);
            }
        }
    }
}

/// Writes in flow style.
#[derive(Debug)]
pub(super) struct Flow<'s> {
    pub(super) style: &'s Style,
    pub(super) look: FlowStyle,
    out: String,
}

impl<'s> Flow<'s> {
    pub(super) fn new(style: &'s Style, look: FlowStyle) -> Self {
        Self {
            style,
            look,
            out: String::new(),
        }
    }

    /// A member or, without a key, an item, in a line with that indentation.
    pub(super) fn entry(mut self, key: Option<&str>, value: &Value, indentation: &str) -> String {
        if let Some(key) = key {
            self.key(key);
        }
        self.any(value, indentation);
        self.out
    }

    fn key(&mut self, key: &str) {
        self.text(key, self.look.keys);
        self.out.push(':');
        // Without a blank only a quoted key ends at its colon.
        self.out
            .push_str(if self.look.keys { self.look.colon } else { " " });
    }

    fn text(&mut self, text: &str, quoted: bool) {
        if quoted {
            self.out.push_str(&quote::double(text));
        } else {
            self.out
                .push_str(&quote::scalar(text, self.style.quote, true));
        }
    }

    fn any(&mut self, value: &Value, indentation: &str) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let padding = self.look.padding;
                let members = ordered(members, &[]);
                let entries = members
                    .into_iter()
                    .map(|(key, value)| (Some(key.as_str()), value));
                self.container(('{', '}', padding), entries, indentation);
            }
            Value::Array(items) if !items.is_empty() => {
                let entries = items.iter().map(|item| (None, item));
                self.container(('[', ']', ""), entries, indentation);
            }
            Value::String(text) => self.text(text, self.look.texts),
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn container<'v>(
        &mut self,
        (open, close, padding): (char, char, &str),
        entries: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
        indentation: &str,
    ) {
        let step = self.look.step.clone();
        let inner = format!("{indentation}{}", step.as_deref().unwrap_or_default());
        self.out.push(open);
        for (index, (key, value)) in entries.enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            if step.is_some() {
                self.line(&inner);
            } else {
                self.out
                    .push_str(if index > 0 { self.look.comma } else { padding });
            }
            if let Some(key) = key {
                self.key(key);
            }
            self.any(value, &inner);
        }
        if step.is_some() {
            self.line(indentation);
        } else {
            self.out.push_str(padding);
        }
        self.out.push(close);
    }

    fn line(&mut self, indentation: &str) {
        self.out.push_str(self.style.newline);
        self.out.push_str(indentation);
    }
}
