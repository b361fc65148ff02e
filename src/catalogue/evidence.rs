//! Where the probe of a system comes from.

/// What somebody who knows the system says of its probe, or of its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where it is said: a repository with a path, an issue, a page.
    pub from: &'static str,
    /// What is said there: word for word where it was read, else in short.
    pub says: &'static str,
    /// Where we have it from.
    pub read_in: ReadIn,
}

/// Where evidence comes from; tests look up again what can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadIn {
    /// In the survey of charts, operators and issues that the catalogue began with.
    Survey,
    /// In what a public chart renders to.
    Chart,
    /// What those who run the system know, with the place where it should stand; no test looks it up.
    Source,
}

/// From the survey.
pub(super) const fn survey(from: &'static str, says: &'static str) -> Evidence {
    Evidence {
        from,
        says,
        read_in: ReadIn::Survey,
    }
}

/// From a rendered chart.
pub(super) const fn chart(from: &'static str, says: &'static str) -> Evidence {
    Evidence {
        from,
        says,
        read_in: ReadIn::Chart,
    }
}

/// From those who run it.
pub(super) const fn source(from: &'static str, says: &'static str) -> Evidence {
    Evidence {
        from,
        says,
        read_in: ReadIn::Source,
    }
}
