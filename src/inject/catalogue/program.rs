//! Which program a container runs, as far as its image, command and arguments tell.

use super::Entry;
use crate::subject::set::Container;

/// Shells, init programs and entry points: they run what their arguments say.
const CARRIERS: [&str; 20] = [
    "sh",
    "bash",
    "ash",
    "dash",
    "zsh",
    "busybox",
    "env",
    "exec",
    "nice",
    "nohup",
    "numactl",
    "setpriv",
    "gosu",
    "su-exec",
    "tini",
    "dumb-init",
    "catatonit",
    "docker-entrypoint.sh",
    "entrypoint.sh",
    "container-entrypoint",
];

/// What the references of images without a shell hold: a script would fail there for ever.
const WITHOUT_SHELL: [&str; 4] = ["cgr.dev/", "chainguard", "distroless", "dhi.io/"];

/// Whether the image is known to have no shell.
pub(super) fn lacks_shell(image: &str) -> bool {
    WITHOUT_SHELL.iter().any(|part| image.contains(part))
}

/// The last part of an image's repository: no registry, no organisation, no tag, no digest.
pub(in crate::inject) fn image_name(image: &str) -> &str {
    let untagged = image.split_once('@').map_or(image, |(name, _)| name);
    let last = untagged.rsplit('/').next().unwrap_or(untagged);
    last.split_once(':').map_or(last, |(name, _)| name)
}

/// The words of the command and the arguments, those of scripts among them.
pub(in crate::inject) fn words<'c>(container: &'c Container<'_>) -> impl Iterator<Item = &'c str> {
    let parts = container.command.iter().chain(&container.args);
    parts
        .flat_map(|part| part.split(is_boundary))
        .filter(|word| !word.is_empty())
}

fn is_boundary(character: char) -> bool {
    character.is_whitespace() || matches!(character, ';' | '&' | '|' | '(' | ')' | '"' | '\'' | '`')
}

/// Whether the container runs one of the entry's programs: its command names it first, or in a script; without a command
/// the image's entry point runs it, unless the first argument is a program of its own.
pub(super) fn runs(entry: &Entry, container: &Container<'_>) -> bool {
    let Some(first) = container.command.first() else {
        return container.args.first().is_none_or(|first| {
            first.starts_with('-')
                || first.ends_with(".conf")
                || entry.subcommands.contains(&&**first)
                || starts(entry, first, container)
        });
    };
    starts(entry, first, container)
}

fn starts(entry: &Entry, first: &str, container: &Container<'_>) -> bool {
    is_program(entry, first) || carries(first) && is_carried(entry, container)
}

/// Whether a program is started by what carries it. Programs share their names with users and databases, so a name that an
/// option or a change of user takes (`pg_dump -U postgres`, `gosu postgres backup.sh`) starts nothing.
fn is_carried(entry: &Entry, container: &Container<'_>) -> bool {
    let mut before = None;
    for part in container.command.iter().chain(&container.args) {
        let mut statements = part.split(is_end_of_statement).peekable();
        while let Some(statement) = statements.next() {
            for word in statement.split(is_boundary).filter(|word| !word.is_empty()) {
                if is_program(entry, word) && !before.is_some_and(takes_a_name) {
                    return true;
                }
                before = Some(word);
            }
            if statements.peek().is_some() {
                before = None;
            }
        }
    }
    false
}

fn is_end_of_statement(character: char) -> bool {
    matches!(character, ';' | '&' | '|' | '(' | ')' | '`' | '\n')
}

/// Whether a word takes the next one as a name. What ends in `c` is a shell's `-c` or `-ec`: a script follows.
fn takes_a_name(word: &str) -> bool {
    const TAKERS: [&str; 5] = ["gosu", "su-exec", "su", "sudo", "chown"];
    let is_option =
        word.starts_with('-') && word != "--" && !word.contains('=') && !word.ends_with('c');
    is_option || TAKERS.contains(&base_name(word))
}

fn is_program(entry: &Entry, word: &str) -> bool {
    entry.programs.contains(&base_name(word))
}

fn carries(word: &str) -> bool {
    CARRIERS.contains(&base_name(word))
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}
