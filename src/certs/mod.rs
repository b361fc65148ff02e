//! Certificates of the webhook port: made here, read from files, renewed without a restart.

mod authority;
mod files;
mod pair;

pub use authority::{AuthorityError, Issued, issue};
pub use files::{Files, FilesError, Followed, write};
pub use pair::{Pair, PairError};
