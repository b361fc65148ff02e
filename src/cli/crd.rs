//! `steadyset crd`: the definition of the kind `StatefulSetPolicy`.

use std::io::Write as _;

use crate::policy::spec::definition;

/// Prints it as YAML.
pub(super) fn run() -> anyhow::Result<()> {
    let yaml = serde_saphyr::to_string(&definition())?;
    std::io::stdout().write_all(yaml.as_bytes())?;
    Ok(())
}
