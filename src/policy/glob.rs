//! Patterns of names.

use globset::{GlobBuilder, GlobMatcher};

/// Text with `*` for any text, `/` included, and `?` for one character.
#[derive(Clone, Debug)]
pub struct Glob(GlobMatcher);

impl Glob {
    /// The longest pattern, in bytes: no name of a namespace or image is longer.
    pub const LONGEST: usize = 253;

    /// Compiles a pattern: a short one, without alternatives in alternatives, which no name of a namespace or image needs. Of others
    /// the compiler may run out of stack, or the matching of time.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        if pattern.len() > Self::LONGEST {
            let length = pattern.len();
            return Err(format!("it has {length} bytes, {} at most", Self::LONGEST));
        }
        let mut open = false;
        for character in pattern.chars() {
            match character {
                '{' if open => return Err("braces within braces".to_owned()),
                '{' => open = true,
                '}' => open = false,
                _ => {}
            }
        }
        let glob = GlobBuilder::new(pattern).build();
        glob.map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| error.kind().to_string())
    }

    /// Whether a text is of the pattern.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.0.glob() == other.0.glob()
    }
}
