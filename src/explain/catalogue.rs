//! The image catalogue, and the page of an entry.

use super::entry_name;
use super::page::{Block, Page};
use crate::catalogue;
use crate::catalogue::{Ask, DataFolder, Entry, Recipe, Tool, Unless, Versions};

pub(super) fn index() -> Page {
    let mut page = Page::new(
        "catalogue",
        "The images whose probes are known. `steadyset explain catalogue/<name>` shows one.",
    );
    let entries = catalogue::all().map(|entry| {
        let images = entry.images.join(", ");
        format!("* {}: {images}", entry_name(entry))
    });
    let entries: Vec<String> = entries.collect();
    page.section("Entries", vec![Block::prose(entries.join("\n"))]);
    page
}

pub(super) fn page(entry: &Entry) -> Page {
    let mut page = Page::new(entry_name(entry), lead(entry));
    page.fact("Images", vec![codes(entry.images)]);
    page.fact("Program", programs(entry));
    page.fact("Peers", vec![peers(entry).to_owned()]);
    page.fact("Quorum", vec![quorum(entry).to_owned()]);
    page.fact("Probe passes", vec![passes(entry).to_owned()]);
    page.fact("Recovers", vec![recovers(entry).to_owned()]);
    page.fact("Data", entry.data.iter().map(folder).collect());
    page.fact("Only in", entry.tools.iter().map(tool).collect());
    let own = entry.own_variables.iter();
    let own = own.map(|own| format!("`{}` in {}", own.name, codes(own.images)));
    page.fact("Reads", own.collect());
    let evidence = entry.evidence.iter();
    let evidence = evidence.map(|it| format!("{}: {}", it.from, it.says));
    page.fact("Evidence", evidence.collect());
    if !entry.recipes.is_empty() {
        let probes: Vec<String> = entry.recipes.iter().map(probe).collect();
        page.section("Probe", vec![Block::prose(probes.join("\n"))]);
        if !entry.unless.is_empty() {
            page.section("Conditions", conditions(entry));
        }
    }
    page
}

fn lead(entry: &Entry) -> String {
    if entry.never_probed() {
        return "An image that never gets a probe from steadyset.".to_owned();
    }
    "What steadyset asks a container of these images whether it is ready. The registry and the folders before the image's name do not count."
        .to_owned()
}

fn codes(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn programs(entry: &Entry) -> Vec<String> {
    let mut lines = Vec::new();
    if !entry.programs.is_empty() {
        lines.push(format!(
            "{}, in the command or in its script",
            codes(entry.programs)
        ));
    }
    if !entry.verbs.is_empty() {
        lines.push(format!("told to {}", codes(entry.verbs)));
    }
    if !entry.subcommands.is_empty() {
        lines.push(format!(
            "or the image's own with the argument {}",
            codes(entry.subcommands)
        ));
    }
    lines
}

fn peers(entry: &Entry) -> &'static str {
    if entry.needs_peers {
        "found by DNS before a member serves"
    } else {
        "not needed to start"
    }
}

fn quorum(entry: &Entry) -> &'static str {
    if entry.quorum {
        "stops where half of the members or more are down"
    } else {
        "none"
    }
}

fn recovers(entry: &Entry) -> &'static str {
    if entry.recovers {
        "a start after a crash replays its log, which may take minutes"
    } else {
        "no replay is known"
    }
}

fn folder(data: &DataFolder) -> String {
    let variable = match data.variable {
        "" => String::new(),
        variable => format!(", unless `{variable}` names another"),
    };
    format!(
        "`{}` in {}{}{variable}",
        data.path,
        codes(data.images),
        range(data.versions)
    )
}

fn tool(tool: &Tool) -> String {
    format!(
        "`{}` in {}{}; else `{}`",
        tool.name,
        codes(tool.images),
        range(tool.versions),
        tool.instead
    )
}

fn range(versions: Versions) -> String {
    let Versions { from, until } = versions;
    let begin = (from != Versions::ALL.from).then(|| format!(" from {}.{}", from.0, from.1));
    let end = (until != Versions::ALL.until).then(|| format!(" before {}.{}", until.0, until.1));
    begin.into_iter().chain(end).collect()
}

fn passes(entry: &Entry) -> &'static str {
    if entry.node_local {
        "on a member that has no peers"
    } else {
        "only with the peers, as far as is known"
    }
}

/// A probe as an entry of a list.
fn probe(recipe: &Recipe) -> String {
    let port = recipe.port;
    let ask = match recipe.ask {
        Ask::Tcp => "`tcpSocket`".to_owned(),
        Ask::HttpGet(path) => format!("`httpGet` of `{path}`"),
        Ask::Shell(script) => format!("`sh -c '{script}'`"),
    };
    let names = match recipe.port_names {
        [] => String::new(),
        names => format!(", else one named {}", codes(names)),
    };
    let undeclared = if recipe.declared_only {
        "; only where it is declared"
    } else {
        ""
    };
    let alive = match recipe.liveness() {
        Ask::HttpGet(path) => format!("; for liveness `httpGet` of `{path}`"),
        _ if recipe.ask == Ask::Tcp => String::new(),
        _ => "; for liveness `tcpSocket`".to_owned(),
    };
    format!("* {ask} on port {port}{names}{undeclared}{alive}")
}

fn conditions(entry: &Entry) -> Vec<Block> {
    let lines = entry.unless.iter().map(|unless| match unless {
        Unless::Word(start) => format!("* no word of its command begins with `{start}`"),
        Unless::Variable(start) => {
            format!(
                "* no environment variable begins with `{start}`, unless its value switches it off"
            )
        }
        Unless::Certificates => "* it mounts nothing that looks like certificates".to_owned(),
    });
    let lines: Vec<String> = lines.collect();
    vec![
        Block::prose("More than a connection is asked where"),
        Block::prose(lines.join("\n")),
    ]
}
