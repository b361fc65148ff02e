//! A page in its two forms: text for a terminal, Markdown for the documentation.

use std::fmt::Write as _;

use textwrap::{Options, WordSplitter};

/// Characters in a line of text; code is never broken.
const WIDTH: usize = 80;

/// What is said of a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    title: String,
    lead: String,
    facts: Vec<(&'static str, Vec<String>)>,
    sections: Vec<(&'static str, Vec<Block>)>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// Markdown: paragraphs and list entries, each on one line, and fenced code.
    Prose(String),
    /// A manifest, or the part of one.
    Yaml(String),
    /// What the program says.
    Says(String),
}

impl Block {
    pub(super) fn prose(text: impl Into<String>) -> Self {
        Self::Prose(text.into())
    }

    pub(super) fn yaml(text: impl Into<String>) -> Self {
        Self::Yaml(text.into())
    }
}

impl Page {
    pub(super) fn new(title: impl Into<String>, lead: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            lead: lead.into(),
            ..Self::default()
        }
    }

    /// Adds a line of the table of facts; several values stand one below the other.
    pub(super) fn fact(&mut self, name: &'static str, values: Vec<String>) {
        if !values.is_empty() {
            self.facts.push((name, values));
        }
    }

    pub(super) fn section(&mut self, heading: &'static str, blocks: Vec<Block>) {
        self.sections.push((heading, blocks));
    }

    /// The page for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.title);
        prose_as_text(&mut text, &self.lead, "");
        let widest = self.facts.iter().map(|(name, _)| name.len()).max();
        let column = widest.unwrap_or_default() + 2;
        if !self.facts.is_empty() {
            text.push('\n');
        }
        for (name, values) in &self.facts {
            for (index, value) in values.iter().enumerate() {
                let name = if index == 0 { *name } else { "" };
                wrap(
                    &mut text,
                    value,
                    &format!("{name:column$}"),
                    &" ".repeat(column),
                );
            }
        }
        for (heading, blocks) in &self.sections {
            let _ = write!(text, "\n{heading}\n");
            for block in blocks {
                text.push('\n');
                match block {
                    Block::Prose(prose) => prose_as_text(&mut text, prose, "  "),
                    Block::Yaml(code) => verbatim(&mut text, code, "      "),
                    Block::Says(line) => wrap(&mut text, line, "      ", "        "),
                }
            }
        }
        text
    }

    /// The page as a file of the documentation. `linked` turns prose into prose with links.
    #[must_use]
    pub(super) fn markdown(&self, linked: impl Fn(&str) -> String) -> String {
        let mut text = format!("# {}\n\n{}\n", self.title, linked(&self.lead));
        if !self.facts.is_empty() {
            text.push_str("\n| | |\n| --- | --- |\n");
        }
        for (name, values) in &self.facts {
            let _ = writeln!(text, "| {name} | {} |", values.join("<br>"));
        }
        for (heading, blocks) in &self.sections {
            let _ = write!(text, "\n## {heading}\n");
            for block in blocks {
                let _ = match block {
                    Block::Prose(prose) => write!(text, "\n{}\n", linked(prose)),
                    Block::Yaml(code) => write!(text, "\n```yaml\n{code}```\n"),
                    Block::Says(line) => write!(text, "\n```text\n{line}\n```\n"),
                };
            }
        }
        text
    }
}

fn prose_as_text(text: &mut String, prose: &str, indent: &str) {
    let mut is_code = false;
    for line in prose.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            verbatim(text, line, &format!("{indent}    "));
        } else if line.is_empty() {
            text.push('\n');
        } else if let Some(entry) = line.strip_prefix("* ") {
            wrap(text, entry, &format!("{indent}* "), &format!("{indent}  "));
        } else {
            wrap(text, line, indent, indent);
        }
    }
}

fn wrap(text: &mut String, line: &str, first: &str, rest: &str) {
    let options = Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(rest)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation);
    text.push_str(&textwrap::fill(line, options));
    text.push('\n');
}

fn verbatim(text: &mut String, code: &str, indent: &str) {
    for line in code.lines() {
        let _ = writeln!(text, "{}", format!("{indent}{line}").trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let mut page = Page::new("a-rule", "What `it` finds.");
        page.fact("Action", vec!["deny".to_owned()]);
        page.fact("Points at", vec!["spec.a".to_owned(), "spec.b".to_owned()]);
        page.fact("None", vec![]);
        let long = "word ".repeat(20);
        page.section(
            "Why",
            vec![
                Block::prose(format!("{}\n\nSecond.", long.trim_end())),
                Block::prose("Do:\n\n* one\n* two\n\n```sh\nkubectl get sts\n```"),
            ],
        );
        page.section(
            "Example",
            vec![
                Block::yaml("spec:\n  a: 1\n"),
                Block::Says("steadyset: spec.a: it is 1; write 2 [a-rule]".to_owned()),
            ],
        );
        page
    }

    #[test]
    fn a_terminal_gets_text() {
        let line = |words: usize| "word ".repeat(words).trim_end().to_owned();
        let expected = format!(
            "a-rule\n\nWhat `it` finds.\n\nAction     deny\nPoints at  spec.a\n           spec.b\n\
             \nWhy\n\n  {}\n  {}\n\n  Second.\n\n  Do:\n\n  * one\n  * two\n\n      kubectl get sts\n\
             \nExample\n\n      spec:\n        a: 1\n\n      steadyset: spec.a: it is 1; write 2 [a-rule]\n",
            line(15),
            line(5)
        );
        assert_eq!(page().text(), expected);
    }

    #[test]
    fn the_documentation_gets_markdown() {
        let markdown = page().markdown(|prose| prose.replace("Second", "[Second](x.md)"));
        let expected = "# a-rule\n\nWhat `it` finds.\n\n| | |\n| --- | --- |\n| Action | deny |\n| Points at | spec.a<br>spec.b |\n\
            \n## Why\n\nword";
        assert!(markdown.starts_with(expected), "{markdown}");
        let end = "\n[Second](x.md).\n\nDo:\n\n* one\n* two\n\n```sh\nkubectl get sts\n```\n\n## Example\n\n```yaml\nspec:\n  a: 1\n```\n\
            \n```text\nsteadyset: spec.a: it is 1; write 2 [a-rule]\n```\n";
        assert!(markdown.ends_with(end), "{markdown}");
    }
}
