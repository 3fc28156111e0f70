//! The token that callers prove themselves with.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// A secret that every caller of the API has to name.
///
/// ```
/// use portlease_server::Token;
///
/// assert!(Token::new("short").is_err());
/// let token = Token::new("0123456789abcdef")?;
/// assert!(!format!("{token:?}").contains("0123"));
/// # Ok::<(), portlease_server::InvalidToken>(())
/// ```
#[derive(Clone)]
pub struct Token(String);

/// The reason why a token is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It can be guessed.
    #[error(
        "The token has {length} characters, and needs at least {}: write a random one, such as that of `openssl rand -hex 32`.",
        Token::SHORTEST
    )]
    TooShort {
        /// How many it has.
        length: usize,
    },
    /// It cannot stand in a header.
    #[error("The token has characters that cannot stand in a header: write letters and digits.")]
    Unprintable,
}

impl Token {
    /// The fewest characters.
    pub const SHORTEST: usize = 16;

    /// This token. Blanks around it are those of its file.
    pub fn new(token: &str) -> Result<Self, InvalidToken> {
        let token = token.trim();
        let length = token.chars().count();
        if length < Self::SHORTEST {
            return Err(InvalidToken::TooShort { length });
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken::Unprintable);
        }
        Ok(Self(token.to_owned()))
    }

    /// Whether somebody named it. How long that takes tells nothing about the token.
    pub(crate) fn is(&self, named: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(named).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}
