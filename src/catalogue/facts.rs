//! What is known of an image beside its probe: where its data is, which programs it has, which variables it takes for its own.

use super::program::{image_name, repository};

/// A folder in which an image keeps its data.
#[derive(Debug, PartialEq, Eq)]
pub struct DataFolder {
    /// The last part of the image repositories that it is true of.
    pub images: &'static [&'static str],
    /// The versions that it is true of.
    pub versions: Versions,
    /// The folder.
    pub path: &'static str,
    /// The `VOLUME` of the image that holds it: what is there and not mounted exactly there is lost with the container. Empty where
    /// the image declares none.
    pub volume: &'static str,
    /// The variable that says otherwise; empty where there is none.
    pub variable: &'static str,
}

/// A program that some versions of an image have.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    /// The last part of the image repositories that it is true of.
    pub images: &'static [&'static str],
    /// The program's name.
    pub name: &'static str,
    /// The versions that have it.
    pub versions: Versions,
    /// What the other versions have in its place.
    pub instead: &'static str,
}

/// A variable that an image takes for its own setting.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnVariable {
    /// The last part of the image repositories that it is true of.
    pub images: &'static [&'static str],
    /// The variable.
    pub name: &'static str,
}

/// A range of versions, each a major and a minor number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The first.
    pub from: (u32, u32),
    /// The first that is none of them any more.
    pub until: (u32, u32),
}

impl Versions {
    /// All there are.
    pub const ALL: Self = Self {
        from: (0, 0),
        until: (u32::MAX, 0),
    };

    /// That version and all after it.
    pub(super) const fn since(major: u32, minor: u32) -> Self {
        Self {
            from: (major, minor),
            ..Self::ALL
        }
    }

    /// All before that version.
    pub(super) const fn before(major: u32, minor: u32) -> Self {
        Self {
            until: (major, minor),
            ..Self::ALL
        }
    }

    /// Whether an image of that version may be one of them; of an unknown version any may be.
    #[must_use]
    pub fn may_hold(self, version: Option<(u32, u32)>) -> bool {
        version.is_none_or(|version| self.from <= version && version < self.until)
    }
}

/// The first two numbers of an image's tag: 15 and 5 of `postgres:15.5-alpine`. A tag that names the version of the server that an
/// extension was built for (`pgvector/pgvector:0.8.0-pg16`) is of that one. A tag of one number is of the last of its minor versions.
#[must_use]
pub fn version(image: &str) -> Option<(u32, u32)> {
    let tag = tag(image)?;
    if let Some((_, server)) = tag.split_once("pg")
        && let Some(major) = leading_number(server)
    {
        return Some((major, u32::MAX));
    }
    let tag = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    let mut parts = tag.split(['.', '-', '_']);
    let major = parts.next()?.parse().ok()?;
    let rest = tag.get(major_length(tag)..)?;
    let minor = rest.strip_prefix('.').and_then(leading_number);
    Some((major, minor.unwrap_or(u32::MAX)))
}

fn major_length(tag: &str) -> usize {
    tag.bytes().take_while(u8::is_ascii_digit).count()
}

fn leading_number(text: &str) -> Option<u32> {
    text.get(..major_length(text))?.parse().ok()
}

fn tag(image: &str) -> Option<&str> {
    let undigested = image.split_once('@').map_or(image, |(name, _)| name);
    undigested.get(repository(image).len()..)?.strip_prefix(':')
}

/// Whether an image is one of those, by the last part of its repository. What Bitnami builds under the same names has other folders
/// and other programs.
pub(super) fn is_one_of(image: &str, images: &[&str]) -> bool {
    let is_bitnami = image.contains("bitnami");
    images.contains(&image_name(image)) && !is_bitnami
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_begins_with_its_version() {
        for (image, expected) in [
            ("postgres:15.5-alpine", Some((15, 5))),
            ("postgres:18", Some((18, u32::MAX))),
            ("registry:5000/library/mongo:4.2.1@sha256:00", Some((4, 2))),
            ("pgvector/pgvector:0.8.0-pg16", Some((16, u32::MAX))),
            ("postgis/postgis:16-3.4", Some((16, u32::MAX))),
            ("quay.io/coreos/etcd:v3.6.1", Some((3, 6))),
            ("postgres:alpine", None),
            ("postgres", None),
            ("registry:5000/postgres", None),
            ("postgres:latest", None),
        ] {
            assert_eq!(version(image), expected, "{image}");
        }
    }

    #[test]
    fn a_range_ends_before_its_end() {
        let before = Versions::before(18, 0);
        assert!(before.may_hold(Some((17, u32::MAX))) && before.may_hold(None));
        assert!(!before.may_hold(Some((18, 0))));
        assert!(!Versions::since(5, 0).may_hold(Some((4, 4))));
        assert!(Versions::since(5, 0).may_hold(Some((5, u32::MAX))));
    }

    #[test]
    fn bitnami_builds_otherwise() {
        assert!(is_one_of("docker.io/library/mongo:7", &["mongo"]));
        assert!(!is_one_of("bitnami/mongodb:7", &["mongodb"]));
        assert!(!is_one_of("mongo-express", &["mongo"]));
    }
}
