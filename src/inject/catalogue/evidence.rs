//! Where the probe of a system comes from.

/// What somebody who knows the system says of its probe, or of its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Who says it: a repository with a path, an issue, a page.
    pub from: &'static str,
    /// Word for word what is said there.
    pub says: &'static str,
    /// Where we read it.
    pub read_in: ReadIn,
}

/// Where evidence was read; tests look up again what is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadIn {
    /// In the survey of charts, operators and issues that the catalogue began with.
    Survey,
    /// In what a public chart renders to.
    Chart,
    /// At its source.
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

/// From its source.
pub(super) const fn source(from: &'static str, says: &'static str) -> Evidence {
    Evidence {
        from,
        says,
        read_in: ReadIn::Source,
    }
}
