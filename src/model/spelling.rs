//! "Did you mean": which of some names a wrong one was probably meant to be.

/// The similarity (Jaro-Winkler, 0 to 1) from which two names count as near; `workdir` and `working-dir` have 0.91,
/// `data` and `date` 0.88, `data` and `logs` 0.
const SIMILAR: f64 = 0.87;

/// A name shorter than this is no hint when it is only a part of another: `a` is in nearly every name.
const TELLING: usize = 3;

/// The longest name that is compared, in bytes: no name in Kubernetes is longer, and comparing two costs the product of their lengths.
const LONGEST: usize = 253;

/// The candidate that `name` was probably meant to be; of two that are equally near, the first. A name is never near to
/// itself.
pub fn nearest<'n>(name: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let mut best: Option<(f64, &'n str)> = None;
    for candidate in candidates {
        let score = similarity(name, candidate);
        if score >= SIMILAR && best.is_none_or(|(before, _)| score > before) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether one of two different names may be the other misspelt: by case, by `-`, `_` or `.`, by a letter or two, or
/// because it is a part of it (`ingester`, `tempo-ingester-discovery`).
#[must_use]
pub fn is_near(name: &str, other: &str) -> bool {
    similarity(name, other) >= SIMILAR
}

/// Whether one of two names is the other with one letter changed, lost or added, or two swapped.
#[must_use]
pub fn is_slip(name: &str, other: &str) -> bool {
    const LETTERS: usize = 1;
    name != other && name.len() > 4 && strsim::osa_distance(name, other) <= LETTERS
}

fn similarity(name: &str, other: &str) -> f64 {
    let is_name = |text: &str| (1..=LONGEST).contains(&text.len());
    if name == other || !is_name(name) || !is_name(other) {
        return 0.0;
    }
    let (plain, plain_other) = (plain(name), plain(other));
    if plain == plain_other {
        return 2.0;
    }
    let similar = strsim::jaro_winkler(&plain, &plain_other);
    if is_part(name, other) || is_part(other, name) {
        return similar.max(SIMILAR);
    }
    similar
}

/// Whether the words of `part` stand in `whole`, one after the other.
fn is_part(part: &str, whole: &str) -> bool {
    let (part, whole) = (words(part), words(whole));
    part.iter().map(String::len).sum::<usize>() >= TELLING
        && whole
            .windows(part.len().max(1))
            .any(|window| window == part)
}

fn words(name: &str) -> Vec<String> {
    name.split(SEPARATORS)
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

const SEPARATORS: [char; 3] = ['-', '_', '.'];

fn plain(name: &str) -> String {
    name.replace(SEPARATORS, "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_near() {
        for (name, other) in [
            ("Data", "data"),
            ("my_data", "my-data"),
            ("workdir", "working-dir"),
            ("ingester", "tempo-ingester-discovery"),
            ("data", "redis-data"),
            ("data-volume", "data"),
            ("config-volume", "config-volumes"),
            ("storage", "storge"),
        ] {
            assert!(is_near(name, other), "{name} {other}");
            assert!(is_near(other, name), "{other} {name}");
        }
    }

    #[test]
    fn another_name_is_not() {
        for (name, other) in [
            ("data", "data"),
            ("data", "logs"),
            ("a", "a-b"),
            ("db", "redis"),
            ("config", "data"),
            ("web", "cobweb-data"),
            ("", "data"),
            ("--", "data"),
        ] {
            assert!(!is_near(name, other), "{name} {other}");
        }
    }

    #[test]
    fn what_is_too_long_for_a_name_is_near_to_nothing() {
        let long = "a".repeat(253);
        assert!(is_near(&long, &format!("{}b", &long[1..])));
        assert!(!is_near(&long, &format!("{long}b")));
    }

    #[test]
    fn the_nearest_is_chosen() {
        assert_eq!(
            nearest("Data", ["date", "redis-data", "data"]),
            Some("data")
        );
        assert_eq!(nearest("data", ["logs", "config"]), None);
        assert_eq!(nearest("web", []), None);
    }
}
