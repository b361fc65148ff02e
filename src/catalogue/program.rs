//! Which program a container runs, as far as its image, command and arguments tell.

use std::path::Path;

use super::Entry;
use super::shell::{commands, is_assignment};
use crate::statefulset::set::Container;

/// `shell` is what the entry point of `CockroachDB` calls its own.
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "shell"];

/// Images' own entry points: they run what their arguments say.
const ENTRY_POINTS: [&str; 5] = [
    "docker-entrypoint.sh",
    "docker-entrypoint",
    "entrypoint.sh",
    "container-entrypoint",
    "entrypoint",
];

/// A program that starts another one.
struct Carrier {
    name: &'static str,
    /// How many words stand before the other's name.
    operands: usize,
    /// The options that take the next word.
    valued: &'static [&'static str],
}

const fn carrier(name: &'static str, operands: usize, valued: &'static [&'static str]) -> Carrier {
    Carrier {
        name,
        operands,
        valued,
    }
}

const CARRIERS: [Carrier; 24] = [
    carrier("exec", 0, &["-a"]),
    carrier("command", 0, &[]),
    carrier("eval", 0, &[]),
    carrier("nohup", 0, &[]),
    carrier("setsid", 0, &[]),
    carrier("busybox", 0, &[]),
    carrier("env", 0, &["-u", "-C"]),
    carrier("nice", 0, &["-n"]),
    carrier("ionice", 0, &["-c", "-n"]),
    carrier("stdbuf", 0, &["-i", "-o", "-e"]),
    carrier("timeout", 1, &["-s", "-k"]),
    carrier("taskset", 1, &[]),
    carrier("chroot", 1, &[]),
    carrier("gosu", 1, &[]),
    carrier("su-exec", 1, &[]),
    carrier("s6-setuidgid", 1, &[]),
    carrier("chpst", 0, &["-u", "-U", "-e", "-n"]),
    carrier("sudo", 0, &["-u", "-g"]),
    carrier("runuser", 0, &["-u", "-g"]),
    carrier(
        "setpriv",
        0,
        &["--reuid", "--regid", "--groups", "--inh-caps"],
    ),
    carrier("tini", 0, &["-p", "-e"]),
    carrier("dumb-init", 0, &["-r", "--rewrite"]),
    carrier("catatonit", 0, &[]),
    carrier(
        "numactl",
        0,
        &[
            "-i",
            "-m",
            "-N",
            "-C",
            "--interleave",
            "--membind",
            "--cpunodebind",
            "--physcpubind",
        ],
    ),
];

/// What the references of images without a shell hold: a script would fail there for ever.
const WITHOUT_SHELL: [&str; 4] = ["cgr.dev/", "chainguard", "distroless", "dhi.io/"];

/// Whether the image is known to have no shell.
pub(super) fn lacks_shell(image: &str) -> bool {
    WITHOUT_SHELL.iter().any(|part| image.contains(part))
}

/// An image's repository: no tag, no digest. A colon before the last slash is that of the registry's port.
pub(crate) fn repository(image: &str) -> &str {
    let undigested = image.split_once('@').map_or(image, |(name, _)| name);
    let last = undigested.rfind('/').map_or(0, |slash| slash + 1);
    let tag = undigested.get(last..).and_then(|name| name.find(':'));
    tag.and_then(|colon| undigested.get(..last + colon))
        .unwrap_or(undigested)
}

/// The last part of an image's repository: no registry, no organisation, no tag, no digest.
pub(crate) fn image_name(image: &str) -> &str {
    base_name(repository(image))
}

/// The words of the command and the arguments, those of scripts among them.
pub(crate) fn words<'c>(container: &'c Container<'_>) -> impl Iterator<Item = &'c str> {
    let parts = container.command.iter().chain(&container.args);
    parts
        .flat_map(|part| part.split(is_boundary))
        .filter(|word| !word.is_empty())
}

fn is_boundary(character: char) -> bool {
    character.is_whitespace() || matches!(character, ';' | '&' | '|' | '(' | ')' | '"' | '\'' | '`')
}

/// Whether the container runs one of the entry's programs: its command starts it, itself or in a script; without a command
/// the image's entry point does, unless the first argument is a program of its own.
pub(super) fn runs(entry: &Entry, container: &Container<'_>) -> bool {
    let line = command_line(container);
    if container.command.is_empty() && entry_point_runs(entry, &line) {
        return true;
    }
    started(&line).iter().any(|command| serves(entry, command))
}

fn command_line(container: &Container<'_>) -> Vec<String> {
    let parts = container.command.iter().chain(&container.args);
    parts.map(ToString::to_string).collect()
}

/// Whether an entry point runs one of the programs when it is given these arguments.
fn entry_point_runs(entry: &Entry, arguments: &[String]) -> bool {
    arguments.first().is_none_or(|first| {
        let first = first.as_str();
        let is_configuration = Path::new(first)
            .extension()
            .is_some_and(|extension| extension == "conf");
        first.starts_with('-')
            || is_configuration
            || entry.subcommands.contains(&first)
            || entry.verbs.contains(&first)
    })
}

/// Whether a command is one of the entry's programs and told to serve.
fn serves(entry: &Entry, command: &[String]) -> bool {
    let Some((program, arguments)) = command.split_first() else {
        return false;
    };
    let name = base_name(program);
    if entry.programs.contains(&name) {
        let told = |word: &String| entry.verbs.contains(&word.as_str());
        return entry.verbs.is_empty() || arguments.iter().any(told);
    }
    ENTRY_POINTS.contains(&name) && entry_point_runs(entry, arguments)
}

/// The commands that a command line starts, without the shells, init programs and changes of user around them.
pub(super) fn started(line: &[String]) -> Vec<Vec<String>> {
    let Some((first, rest)) = line.split_first() else {
        return Vec::new();
    };
    let name = base_name(first);
    if SHELLS.contains(&name) {
        return of_shell(rest);
    }
    if name == "su" {
        let at = rest.iter().position(|word| word == "-c");
        return at
            .and_then(|at| rest.get(at..))
            .map(of_shell)
            .unwrap_or_default();
    }
    if let Some(carrier) = CARRIERS.iter().find(|carrier| carrier.name == name) {
        return started(carrier.carried(rest));
    }
    let mut all = vec![line.to_vec()];
    if ENTRY_POINTS.contains(&name) {
        all.extend(started(rest));
    }
    all
}

/// `sh -ec SCRIPT`, or a script in a file, which is taken for a program.
fn of_shell(arguments: &[String]) -> Vec<Vec<String>> {
    let mut rest = arguments.iter();
    let mut is_script = false;
    while let Some(word) = rest.next() {
        if is_script && !word.starts_with(['-', '+']) {
            let commands = commands(word);
            return commands
                .iter()
                .flat_map(|command| started(command))
                .collect();
        }
        let is_cluster = word.starts_with(['-', '+']) && !word.starts_with("--");
        is_script |= is_cluster && word.contains('c');
        if is_cluster && word.ends_with('o') {
            rest.next();
        } else if !is_script && !word.starts_with(['-', '+']) {
            let file: Vec<String> = std::iter::once(word).chain(rest).cloned().collect();
            return vec![file];
        }
    }
    Vec::new()
}

impl Carrier {
    /// The command line that it starts.
    fn carried<'w>(&self, words: &'w [String]) -> &'w [String] {
        let (mut at, mut operands) = (0, self.operands);
        while let Some(word) = words.get(at) {
            if word == "--" {
                at += 1 + operands;
                break;
            }
            if word.starts_with('-') {
                at += usize::from(self.valued.contains(&word.as_str()));
            } else if !is_assignment(word) {
                if operands == 0 {
                    break;
                }
                operands -= 1;
            }
            at += 1;
        }
        words.get(at..).unwrap_or_default()
    }
}

/// Whether all that the container does is wait, as it is made to for maintenance: it listens nowhere, whatever ports it
/// declares.
pub(crate) fn only_waits(container: &Container<'_>) -> bool {
    const WAITS: [&str; 3] = ["sleep", "tail", "pause"];
    const BESIDE: [&str; 12] = [
        "true", ":", "echo", "date", "trap", "wait", "set", "exit", "[", "test", "cat", "kill",
    ];
    if !words(container).any(|word| WAITS.contains(&base_name(word))) {
        return false;
    }
    let commands = started(&command_line(container));
    let is = |command: &Vec<String>, names: &[&str]| {
        let program = command.first();
        program.is_some_and(|program| names.contains(&base_name(program)))
    };
    commands.iter().any(|command| is(command, &WAITS))
        && commands
            .iter()
            .all(|command| is(command, &WAITS) || is(command, &BESIDE))
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}
