//! The scripts of `sh -c`, as far as it takes to see which programs they start.

use std::iter::Peekable;
use std::str::Chars;

/// What may stand before a command and starts nothing itself.
const KEYWORDS: [&str; 14] = [
    "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}", "time",
    "esac",
];

/// The simple commands of a script, each as its words without quotes, keywords, assignments and redirections; what a
/// comment or a here-document holds is none.
pub(super) fn commands(script: &str) -> Vec<Vec<String>> {
    let mut reader = Reader {
        rest: script.chars().peekable(),
        word: None,
        skips: false,
        words: Vec::new(),
        here_documents: Vec::new(),
        commands: Vec::new(),
    };
    while let Some(next) = reader.rest.next() {
        reader.read(next);
    }
    reader.end_command();
    reader.commands
}

struct Reader<'s> {
    rest: Peekable<Chars<'s>>,
    /// The word that is read; quotes make an empty one a word too.
    word: Option<String>,
    /// Whether the next word is the target of a redirection.
    skips: bool,
    words: Vec<String>,
    /// The ends of the here-documents that begin on the next line.
    here_documents: Vec<String>,
    commands: Vec<Vec<String>>,
}

impl Reader<'_> {
    fn read(&mut self, next: char) {
        match next {
            '\\' => match self.rest.next() {
                Some('\n') | None => {}
                Some(escaped) => self.push(escaped),
            },
            '\'' | '"' => self.quoted(next),
            '#' if self.word.is_none() => {
                while self.rest.next_if(|next| *next != '\n').is_some() {}
            }
            '\n' => {
                self.end_command();
                self.skip_here_documents();
            }
            '>' | '<' => self.redirection(next),
            '&' if self.rest.peek() == Some(&'>') => {}
            ';' | '&' | '|' | '(' | ')' | '`' => self.end_command(),
            next if next.is_whitespace() => self.end_word(),
            next => self.push(next),
        }
    }

    fn push(&mut self, next: char) {
        self.word.get_or_insert_default().push(next);
    }

    fn quoted(&mut self, quote: char) {
        self.word.get_or_insert_default();
        while let Some(next) = self.rest.next() {
            match next {
                next if next == quote => return,
                '\\' if quote == '"' => {
                    if let Some(escaped) = self.rest.next() {
                        self.push(escaped);
                    }
                }
                next => self.push(next),
            }
        }
    }

    /// `2>&1`, `>> file`, `<<EOF`: the number before it and the word after it are no words of the command.
    fn redirection(&mut self, first: char) {
        let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
        if self.word.as_ref().is_some_and(is_number) {
            self.word = None;
        }
        self.end_word();
        let mut operator = String::from(first);
        while let Some(next) = self
            .rest
            .next_if(|next| matches!(next, '>' | '<' | '&' | '|'))
        {
            operator.push(next);
        }
        if operator == "<<" {
            self.here_document();
        } else {
            self.skips = true;
        }
    }

    fn here_document(&mut self) {
        while self
            .rest
            .next_if(|next| matches!(next, '-' | ' '))
            .is_some()
        {}
        let mut end = String::new();
        while let Some(next) = self
            .rest
            .next_if(|next| !next.is_whitespace() && !matches!(next, ';' | '|' | '&' | '>'))
        {
            end.extend((!matches!(next, '\'' | '"' | '\\')).then_some(next));
        }
        self.here_documents.push(end);
    }

    fn skip_here_documents(&mut self) {
        for end in std::mem::take(&mut self.here_documents) {
            loop {
                let mut line = String::new();
                while let Some(next) = self.rest.next_if(|next| *next != '\n') {
                    line.push(next);
                }
                if self.rest.next().is_none() || line.trim() == end {
                    break;
                }
            }
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else {
            return;
        };
        if !std::mem::take(&mut self.skips) {
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.skips = false;
        let words = std::mem::take(&mut self.words).into_iter();
        let command: Vec<String> = words.skip_while(|word| starts_nothing(word)).collect();
        if !command.is_empty() {
            self.commands.push(command);
        }
    }
}

fn starts_nothing(word: &str) -> bool {
    KEYWORDS.contains(&word) || is_assignment(word)
}

/// Whether a word sets a variable: `NAME=value`.
pub(super) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.bytes().all(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_script_apart() {
        let cases = [
            ("redis-server /c", "redis-server /c"),
            ("set -e; exec mongod", "set -e | exec mongod"),
            ("a && b || c & wait", "a | b | c | wait"),
            ("if [ -f x ]; then a; else b; fi", "[ -f x ] | a | b"),
            ("while true; do sleep 1; done", "true | sleep 1"),
            ("A=1 B='x y' postgres -c 'a=b c'", "postgres -c a=b c"),
            ("echo \"run; mongod\" # mongod\nls", "echo run; mongod | ls"),
            ("mongod \\\n  --bind_ip_all", "mongod --bind_ip_all"),
            ("mongod >/log 2>&1 & tail -f /log", "mongod | tail -f /log"),
            (
                "cat <<EOF > /c\nmongod\nEOF\nredis-server /c",
                "cat | redis-server /c",
            ),
            ("cat <<-'EOF'\n\tmongod\n\tEOF\nls", "cat | ls"),
            ("HOST=$(hostname -f)\nrun", "hostname -f | run"),
            ("f() { mongod; }", "f | mongod"),
            ("grep x <<< mongod", "grep x"),
            ("", ""),
            ("'open", "open"),
        ];
        for (script, expected) in cases {
            let found: Vec<_> = commands(script)
                .iter()
                .map(|words| words.join(" "))
                .collect();
            assert_eq!(found.join(" | "), expected, "{script}");
        }
    }
}
